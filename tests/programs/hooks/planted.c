/* Other people's libraries, loaded at run time, with one planted fault each: ten objects are made
 * and released once. Three of them were retained once more, by hold_one(), and never released for
 * that; or, with 'error', each of them is retained and released by convert_one(), but for the three
 * times that a call of the library fails there and it returns early.
 *
 * Usage: planted SCENARIO [error]. Prints the same each time. The functions are looked up by name,
 * so that nothing but the libraries themselves has to be there. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef void* (*pointer_function)();
typedef void (*plain_function)();

static void* library;

static void* find(const char* name) {
    void* found = dlsym(library, name);
    if (!found) {
        fprintf(stderr, "no %s\n", name);
        exit(77);
    }
    return found;
}

static void* make_bytes(void) {
    return ((pointer_function)find("g_bytes_new"))("12345678", 8ul);
}
static void* make_object(void) {
    return ((void* (*)(unsigned long, const char*, ...))find("g_object_new"))(20 << 2, NULL);
}
static void* make_buffer(void) {
    return ((pointer_function)find("av_buffer_alloc"))(64ul);
}
static void* make_certificate(void) {
    return ((pointer_function)find("X509_new"))();
}
static void* make_message(void) {
    return ((pointer_function)find("dbus_message_new_signal"))("/a", "a.b", "c");
}
static void* make_gst_buffer(void) {
    return ((pointer_function)find("gst_buffer_new"))();
}
/* From pools, which hand out what was given back. */
static void* take_buffer(void) {
    static void* pool;
    if (!pool) pool = ((pointer_function)find("av_buffer_pool_init"))(64ul, NULL);
    return ((pointer_function)find("av_buffer_pool_get"))(pool);
}
static void* take_gst_buffer(void) {
    static void* pool;
    void* buffer = NULL;
    if (!pool) {
        pool = ((pointer_function)find("gst_buffer_pool_new"))();
        void* config = ((pointer_function)find("gst_buffer_pool_get_config"))(pool);
        ((void (*)(void*, void*, unsigned, unsigned, unsigned))find(
            "gst_buffer_pool_config_set_params"))(config, NULL, 64, 0, 0);
        ((int (*)(void*, void*))find("gst_buffer_pool_set_config"))(pool, config);
        ((int (*)(void*, int))find("gst_buffer_pool_set_active"))(pool, 1);
    }
    ((int (*)(void*, void**, void*))find("gst_buffer_pool_acquire_buffer"))(pool, &buffer, NULL);
    return buffer;
}
static void* make_tiny(void) {
    return ((pointer_function)find("tiny_box_make"))();
}

/* av_buffer_unref takes the address of its argument. */
static void release_buffer(void* buffer) {
    ((plain_function)find("av_buffer_unref"))(&buffer);
}

/* Operations that may fail: each parses a text, and returns whether that went well. */
static int parse_number(const char* text) {
    return ((int (*)(const char*, unsigned, unsigned long, unsigned long, void*, void*))find(
        "g_ascii_string_to_unsigned"))(text, 10, 0, 1000, NULL, NULL);
}
static int parse_size(const char* text) {
    int width, height;
    return ((int (*)(int*, int*, const char*))find("av_parse_video_size"))(&width, &height, text) >=
           0;
}
static int parse_structure(const char* text) {
    void* structure = ((pointer_function)find("gst_structure_from_string"))(text, NULL);
    if (structure) ((void (*)(void*))find("gst_structure_free"))(structure);
    return structure != NULL;
}
static int parse_object_name(const char* text) {
    void* name = ((void* (*)(const char*, int))find("OBJ_txt2obj"))(text, 0);
    if (name) ((void (*)(void*))find("ASN1_OBJECT_free"))(name);
    return name != NULL;
}
static int parse_path(const char* text) {
    return ((int (*)(const char*, void*))find("dbus_validate_path"))(text, NULL);
}

static const struct scenario {
    const char *name, *library;
    void* (*make)(void);
    const char *retain, *release;
    int (*parse)(const char* text);
    const char *good, *bad;
} scenarios[] = {
    {"glib", "libglib-2.0.so.0", make_bytes, "g_bytes_ref", "g_bytes_unref", parse_number, "12",
     "twelve"},
    {"gobject", "libgobject-2.0.so.0", make_object, "g_object_ref", "g_object_unref", parse_number,
     "12", "twelve"},
    {"ffmpeg", "libavutil.so.57", make_buffer, "av_buffer_ref", NULL, parse_size, "64x48", "wide"},
    {"openssl", "libcrypto.so.3", make_certificate, "X509_up_ref", "X509_free", parse_object_name,
     "commonName", "no name"},
    {"dbus", "libdbus-1.so.3", make_message, "dbus_message_ref", "dbus_message_unref", parse_path,
     "/a/path", "no path"},
    {"gstreamer", "libgstreamer-1.0.so.0", make_gst_buffer, "gst_mini_object_ref",
     "gst_mini_object_unref", parse_structure, "name, size=(int)5", "name, size=(int)wide"},
    {"ffmpeg-pool", "libavutil.so.57", take_buffer, "av_buffer_ref", NULL, parse_size, "64x48",
     "wide"},
    {"gstreamer-pool", "libgstreamer-1.0.so.0", take_gst_buffer, "gst_mini_object_ref",
     "gst_mini_object_unref", parse_structure, "name, size=(int)5", "name, size=(int)wide"},
    {"tiny", "libtiny_refs.so", make_tiny, "tiny_box_share", "tiny_box_drop", NULL, "", ""},
};

static int on_error_path; /* where the fault is */

static void give_back(const struct scenario* scenario, void* object) {
    if (scenario->release)
        ((plain_function)find(scenario->release))(object);
    else
        release_buffer(object);
}

__attribute__((noinline)) static void hold_one(const struct scenario* scenario, void* object) {
    ((pointer_function)find(scenario->retain))(object);
}

__attribute__((noinline)) static int convert_one(const struct scenario* scenario, void* object,
                                                 const char* text) {
    void* reference = ((pointer_function)find(scenario->retain))(object);
    if (!scenario->parse(text)) return -1; /* forgets what is its own */
    give_back(scenario,
              scenario->release ? object : reference); /* av_buffer_ref made another holder */
    return 0;
}

__attribute__((noinline)) static void use_one(const struct scenario* scenario, int number) {
    void* object = scenario->make();
    const int fails = number % 3 == 2;
    if (on_error_path) {
        const int result = convert_one(scenario, object, fails ? scenario->bad : scenario->good);
        if ((result != 0) != fails) abort();
    } else if (fails) {
        hold_one(scenario, object);
    }
    give_back(scenario, object);
}

int main(int count, char** arguments) {
    on_error_path = count == 3 && strcmp(arguments[2], "error") == 0;
    for (size_t i = 0; count >= 2 && i < sizeof(scenarios) / sizeof(scenarios[0]); i++) {
        const struct scenario* scenario = &scenarios[i];
        if (strcmp(scenario->name, arguments[1]) != 0) continue;
        library = dlopen(scenario->library, RTLD_NOW);
        if (!library) return 77; /* not on this machine */
        if (strncmp(scenario->name, "gstreamer", 9) == 0)
            ((plain_function)find("gst_init"))(NULL, NULL);
        for (int number = 0; number < 10; number++) use_one(scenario, number);
        puts("done");
        return 0;
    }
    return 2;
}
