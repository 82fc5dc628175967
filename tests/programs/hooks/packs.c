/* Traffic through libraries that have built-in packs, and a planted fault: what use_one() handles,
 * ten times, hold_one() takes a reference to in three of them when the fault is asked for, and
 * nothing gives it back.
 *
 * Usage: packs LIBRARY [faulty]. Functions are looked up by name, so that nothing but the libraries
 * themselves has to be there; status 77 where they are not. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

enum { OBJECTS = 10 };

static void *library, *second_library;
static int faulty;

static void* find_in(void* where, const char* name) {
    void* found = dlsym(where, name);
    if (!found) {
        fprintf(stderr, "no %s\n", name);
        exit(77);
    }
    return found;
}
static void* find(const char* name) {
    return find_in(library, name);
}

#define CALL(type, name, arguments) ((type(*)())find(name)) arguments

static void* open_library(const char* name) {
    void* opened = dlopen(name, RTLD_NOW);
    if (!opened) {
        fprintf(stderr, "%s\n", dlerror());
        exit(77);
    }
    return opened;
}

static int planted(int number) {
    return faulty && number % 3 == 2;
}

/* libevent: a pair of connected bufferevents; their buffers are handed on by reference. */

static void* sink;

__attribute__((noinline)) static void hold_evbuffer(void* buffer) {
    CALL(int, "evbuffer_add_buffer_reference", (sink, buffer)); /* keeps `buffer` until drained */
}

__attribute__((noinline)) static void use_evbuffer(void* base, int number) {
    void *pair[2], *buffer = CALL(void*, "evbuffer_new", ());
    char text[64];
    CALL(int, "bufferevent_pair_new", (base, 0, pair));
    CALL(int, "bufferevent_enable", (pair[1], 2 /* EV_READ */));
    CALL(int, "evbuffer_add", (buffer, "some text", (size_t)9));
    CALL(int, "evbuffer_add_buffer_reference",
         (CALL(void*, "bufferevent_get_output", (pair[0])), buffer));
    CALL(int, "event_base_loop", (base, 2 /* EVLOOP_NONBLOCK */));
    if (CALL(size_t, "bufferevent_read", (pair[1], text, sizeof(text))) != 9) abort();
    if (planted(number)) hold_evbuffer(buffer);
    CALL(void, "evbuffer_free", (buffer));
    CALL(void, "bufferevent_free", (pair[0]));
    CALL(void, "bufferevent_free", (pair[1]));
    CALL(int, "event_base_loop", (base, 2));
}

static void run_libevent(void) {
    library = open_library("libevent-2.1.so.7");
    void* base = CALL(void*, "event_base_new", ());
    sink = CALL(void*, "evbuffer_new", ());
    for (int number = 0; number < OBJECTS; number++) use_evbuffer(base, number);
    if (!faulty) CALL(void, "evbuffer_free", (sink));
    CALL(void, "event_base_free", (base));
}

/* nghttp2: a client and a server session in memory; the server keeps header names for a while. */

struct header {
    const char *name, *value;
    size_t name_size, value_size;
    uint8_t flags;
};

static void* kept_name;
static int headers_seen;

__attribute__((noinline)) static void hold_name(void* name) {
    CALL(void, "nghttp2_rcbuf_incref", (name));
}

static int on_header(void* session, const void* frame, void* name, void* value, uint8_t flags,
                     void* data) {
    (void)session, (void)frame, (void)value, (void)flags, (void)data;
    if (CALL(int, "nghttp2_rcbuf_is_static", (name))) return 0;
    if (kept_name) CALL(void, "nghttp2_rcbuf_decref", (kept_name));
    CALL(void, "nghttp2_rcbuf_incref", (name));
    kept_name = name;
    if (planted(headers_seen++)) hold_name(name);
    return 0;
}

static void transfer(void* from, void* to) {
    const uint8_t* bytes;
    ssize_t size;
    while ((size = CALL(ssize_t, "nghttp2_session_mem_send", (from, &bytes))) > 0) {
        if (CALL(ssize_t, "nghttp2_session_mem_recv", (to, bytes, (size_t)size)) != size) abort();
    }
}

static void run_nghttp2(void) {
    library = open_library("libnghttp2.so.14");
    void *callbacks, *client, *server;
    CALL(int, "nghttp2_session_callbacks_new", (&callbacks));
    CALL(int, "nghttp2_session_client_new", (&client, callbacks, NULL));
    CALL(void, "nghttp2_session_callbacks_set_on_header_callback2", (callbacks, on_header));
    CALL(int, "nghttp2_session_server_new", (&server, callbacks, NULL));
    CALL(int, "nghttp2_submit_settings", (client, 0, NULL, (size_t)0));
    CALL(int, "nghttp2_submit_settings", (server, 0, NULL, (size_t)0));
    for (int number = 0; number < OBJECTS; number++) {
        char name[16];
        const int size = snprintf(name, sizeof(name), "x-name-%d", number);
        struct header headers[] = {{":method", "GET", 7, 3, 0},
                                   {":path", "/", 5, 1, 0},
                                   {":scheme", "http", 7, 4, 0},
                                   {name, "value", (size_t)size, 5, 0}};
        if (CALL(int, "nghttp2_submit_request", (client, NULL, headers, (size_t)4, NULL, NULL)) <
            0) {
            abort();
        }
        transfer(client, server);
        transfer(server, client);
    }
    if (headers_seen != OBJECTS) abort();
    CALL(void, "nghttp2_rcbuf_decref", (kept_name));
    CALL(void, "nghttp2_session_del", (client));
    CALL(void, "nghttp2_session_del", (server));
    CALL(void, "nghttp2_session_callbacks_del", (callbacks));
}

/* libxml2: documents parsed with a dictionary of their own; the fault keeps the dictionary. */

__attribute__((noinline)) static void hold_dictionary(void* dictionary) {
    CALL(int, "xmlDictReference", (dictionary));
}

__attribute__((noinline)) static void use_dictionary(int number) {
    static const char text[] = "<a><b c='d'>text</b><b/></a>";
    void* dictionary = CALL(void*, "xmlDictCreate", ());
    if (!CALL(void*, "xmlDictLookup", (dictionary, "b", 1))) abort();
    void* document = CALL(void*, "xmlReadMemory", (text, (int)sizeof(text) - 1, "-", NULL, 0));
    if (!document) abort();
    if (planted(number)) hold_dictionary(dictionary);
    CALL(void, "xmlDictFree", (dictionary));
    CALL(void, "xmlFreeDoc", (document));
}

static void run_libxml2(void) {
    library = open_library("libxml2.so.2");
    for (int number = 0; number < OBJECTS; number++) use_dictionary(number);
    CALL(void, "xmlCleanupParser", ());
}

/* Wayland: a server and its client in one process; buffers in shared memory. */

#define CLIENT(type, name, arguments) ((type(*)())find_in(second_library, name)) arguments
#define MARSHAL                                                           \
    ((void* (*)(void*, uint32_t, void*, uint32_t, uint32_t, ...))find_in( \
        second_library, "wl_proxy_marshal_flags"))
#define INTERFACE(name) find_in(second_library, name "_interface")

enum {
    GET_REGISTRY = 1,
    BIND = 0,
    CREATE_POOL = 0,
    CREATE_BUFFER = 0,
    DESTROY = 0,
    DESTROY_POOL = 1
};
enum { BY_DESTRUCTOR = 1 };

struct wayland {
    void *server, *client_of_server, *client, *registry, *shm;
};

static void dispatch(const struct wayland* of) {
    CLIENT(int, "wl_display_flush", (of->client));
    CALL(int, "wl_event_loop_dispatch",
         (CALL(void*, "wl_display_get_event_loop", (of->server)), 0));
    CALL(void, "wl_display_flush_clients", (of->server));
}

__attribute__((noinline)) static void hold_pool(void* buffer) {
    CALL(void*, "wl_shm_buffer_ref_pool", (buffer));
}

__attribute__((noinline)) static void use_pool(const struct wayland* of, int fd, int number) {
    void* pool = MARSHAL(of->shm, CREATE_POOL, INTERFACE("wl_shm_pool"), 1, 0, NULL, fd, 4096);
    void* proxy =
        MARSHAL(pool, CREATE_BUFFER, INTERFACE("wl_buffer"), 1, 0, NULL, 0, 16, 16, 64, 0);
    dispatch(of);
    void* resource = CALL(void*, "wl_client_get_object",
                          (of->client_of_server, CLIENT(uint32_t, "wl_proxy_get_id", (proxy))));
    void* buffer = CALL(void*, "wl_shm_buffer_get", (resource));
    if (!buffer) abort();
    void* kept = CALL(void*, "wl_shm_buffer_ref_pool", (buffer));
    if (planted(number))
        hold_pool(buffer); /* and forgets the proxy */
    else
        MARSHAL(proxy, DESTROY, NULL, 1, BY_DESTRUCTOR);
    MARSHAL(pool, DESTROY_POOL, NULL, 1, BY_DESTRUCTOR);
    dispatch(of);
    CALL(void, "wl_shm_pool_unref", (kept));
}

static void run_wayland(void) {
    library = open_library("libwayland-server.so.0");
    second_library = open_library("libwayland-client.so.0");
    int ends[2];
    const int fd = memfd_create("pool", 0);
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0 || ftruncate(fd, 4096) != 0) abort();
    struct wayland all = {.server = CALL(void*, "wl_display_create", ())};
    CALL(int, "wl_display_init_shm", (all.server));
    all.client_of_server = CALL(void*, "wl_client_create", (all.server, ends[0]));
    all.client = CLIENT(void*, "wl_display_connect_to_fd", (ends[1]));
    all.registry = MARSHAL(all.client, GET_REGISTRY, INTERFACE("wl_registry"), 1, 0, NULL);
    all.shm = MARSHAL(all.registry, BIND, INTERFACE("wl_shm"), 1, 0, 1u, "wl_shm", 1u, NULL);
    for (int number = 0; number < OBJECTS; number++) use_pool(&all, fd, number);
    CLIENT(void, "wl_proxy_destroy", (all.shm));
    CLIENT(void, "wl_proxy_destroy", (all.registry));
    CLIENT(void, "wl_display_disconnect", (all.client));
    CALL(void, "wl_display_destroy_clients", (all.server));
    CALL(void, "wl_display_destroy", (all.server));
}

/* gRPC: slices put into a buffer and split. */

struct slice {
    void* refcount;
    uint8_t inlined[24];
};

__attribute__((noinline)) static void hold_slice(struct slice slice) {
    ((struct slice(*)(struct slice))find("grpc_slice_ref"))(slice);
}

__attribute__((noinline)) static void use_slice(int number) {
    struct slice whole = ((struct slice(*)(size_t))find("grpc_slice_malloc_large"))(1000);
    struct slice part =
        ((struct slice(*)(struct slice, size_t, size_t))find("grpc_slice_sub"))(whole, 100, 900);
    void (*unref)(struct slice) = (void (*)(struct slice))find("grpc_slice_unref");
    if (planted(number)) hold_slice(whole);
    unref(part);
    unref(whole);
}

static void run_grpc(void) {
    library = open_library("libgrpc.so.29");
    CALL(void, "grpc_init", ());
    for (int number = 0; number < OBJECTS; number++) use_slice(number);
    CALL(void, "grpc_shutdown", ());
}

int main(int count, char** arguments) {
    static const struct {
        const char* name;
        void (*run)(void);
    } libraries[] = {{"libevent", run_libevent},
                     {"nghttp2", run_nghttp2},
                     {"libxml2", run_libxml2},
                     {"wayland", run_wayland},
                     {"grpc", run_grpc}};
    faulty = count == 3 && strcmp(arguments[2], "faulty") == 0;
    for (size_t i = 0; count >= 2 && i < sizeof(libraries) / sizeof(libraries[0]); i++) {
        if (strcmp(libraries[i].name, arguments[1]) != 0) continue;
        libraries[i].run();
        puts("done");
        return 0;
    }
    fprintf(stderr, "usage: packs libevent|nghttp2|libxml2|wayland|grpc [faulty]\n");
    return 2;
}
