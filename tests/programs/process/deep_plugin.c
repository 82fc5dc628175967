/*
 * For deep_binding: makes blocks, by the C library's malloc where it was loaded with RTLD_DEEPBIND.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <stdlib.h>
#include <string.h>

static void* of_constructor;

__attribute__((constructor)) static void make(void) {
    of_constructor = malloc(7001);
}
void* plugin_constructed(void) {
    return of_constructor;
}
void* plugin_make(size_t size) {
    return malloc(size);
}
void* plugin_grow(void* block, size_t size) {
    return realloc(block, size);
}
void plugin_drop(void* block) {
    free(block);
}
char* plugin_copy(const char* text) {
    return strdup(text);
}
