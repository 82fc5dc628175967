/* Names as libraries have for reference counting, for `lastref hooks new`. */
#define FUNCTION(name) \
    __attribute__((visibility("default"))) void name(void) {}

FUNCTION(cell_new)
FUNCTION(cell_new_with_name)
FUNCTION(cell_ref)
FUNCTION(cell_unref)
FUNCTION(node_create)
FUNCTION(node_retain)
FUNCTION(node_release)
FUNCTION(key_up_ref)
FUNCTION(key_free)
FUNCTION(page_init)
FUNCTION(page_get)
FUNCTION(page_put)
FUNCTION(lock_acquire)
FUNCTION(lock_release)
FUNCTION(lone_ref)
FUNCTION(name_get)
