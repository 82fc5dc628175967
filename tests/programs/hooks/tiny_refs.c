/* A reference-counted library of its own. The functions that count are hidden: only .symtab knows
 * them. `tiny_box_make` and its kind are what a program calls. */
#include <stdlib.h>

struct box {
    char name[12];
    int references;
};

__attribute__((noinline, noclone)) static struct box *box_create(void) {
    struct box *box = calloc(1, sizeof(*box));
    box->references = 1;
    return box;
}
__attribute__((noinline, noclone)) static struct box *box_get(struct box *box) {
    __atomic_add_fetch(&box->references, 1, __ATOMIC_RELAXED);
    return box;
}
__attribute__((noinline, noclone)) static void box_put(struct box *box) {
    if (__atomic_sub_fetch(&box->references, 1, __ATOMIC_ACQ_REL) == 0) free(box);
}

__attribute__((visibility("default"))) struct box *tiny_box_make(void) { return box_create(); }
__attribute__((visibility("default"))) void tiny_box_share(struct box *box) { box_get(box); }
__attribute__((visibility("default"))) void tiny_box_drop(struct box *box) { box_put(box); }
