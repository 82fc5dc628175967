/* Other people's libraries, loaded at run time, with one planted fault each: ten objects are made and
 * released once; three of them were retained once more, by hold_one(), and never released for that.
 *
 * Usage: planted SCENARIO. Prints the same each time. The functions are looked up by name, so that
 * nothing but the libraries themselves has to be there. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef void *(*pointer_function)();
typedef void (*plain_function)();

static void *library;

static plain_function find(const char *name) {
    plain_function found = (plain_function)dlsym(library, name);
    if (!found) {
        fprintf(stderr, "no %s\n", name);
        exit(77);
    }
    return found;
}

static void *make_bytes(void) { return ((pointer_function)find("g_bytes_new"))("12345678", 8ul); }
static void *make_object(void) {
    return ((void *(*)(unsigned long, const char *, ...))find("g_object_new"))(20 << 2, NULL);
}
static void *make_buffer(void) { return ((pointer_function)find("av_buffer_alloc"))(64ul); }
static void *make_certificate(void) { return ((pointer_function)find("X509_new"))(); }
static void *make_message(void) {
    return ((pointer_function)find("dbus_message_new_signal"))("/a", "a.b", "c");
}
static void *make_gst_buffer(void) { return ((pointer_function)find("gst_buffer_new"))(); }
static void *make_tiny(void) { return ((pointer_function)find("tiny_box_make"))(); }

/* av_buffer_unref takes the address of its argument. */
static void release_buffer(void *buffer) { find("av_buffer_unref")(&buffer); }

static const struct scenario {
    const char *name, *library;
    void *(*make)(void);
    const char *retain, *release;
} scenarios[] = {
    {"glib", "libglib-2.0.so.0", make_bytes, "g_bytes_ref", "g_bytes_unref"},
    {"gobject", "libgobject-2.0.so.0", make_object, "g_object_ref", "g_object_unref"},
    {"ffmpeg", "libavutil.so.57", make_buffer, "av_buffer_ref", NULL},
    {"openssl", "libcrypto.so.3", make_certificate, "X509_up_ref", "X509_free"},
    {"dbus", "libdbus-1.so.3", make_message, "dbus_message_ref", "dbus_message_unref"},
    {"gstreamer", "libgstreamer-1.0.so.0", make_gst_buffer, "gst_mini_object_ref",
     "gst_mini_object_unref"},
    {"tiny", "libtiny_refs.so", make_tiny, "tiny_box_share", "tiny_box_drop"},
};

__attribute__((noinline)) static void hold_one(const struct scenario *scenario, void *object) {
    ((pointer_function)find(scenario->retain))(object);
}

__attribute__((noinline)) static void use_one(const struct scenario *scenario, int number) {
    void *object = scenario->make();
    if (number % 3 == 2) hold_one(scenario, object);
    if (scenario->release)
        find(scenario->release)(object);
    else
        release_buffer(object);
}

int main(int count, char **arguments) {
    for (size_t i = 0; count == 2 && i < sizeof(scenarios) / sizeof(scenarios[0]); i++) {
        const struct scenario *scenario = &scenarios[i];
        if (strcmp(scenario->name, arguments[1]) != 0) continue;
        library = dlopen(scenario->library, RTLD_NOW);
        if (!library) return 77; /* not on this machine */
        if (strcmp(scenario->name, "gstreamer") == 0) find("gst_init")(NULL, NULL);
        for (int number = 0; number < 10; number++) use_one(scenario, number);
        puts("done");
        return 0;
    }
    return 2;
}
