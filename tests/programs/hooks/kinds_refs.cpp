// A library whose functions can be named in every way that rules know: C++ names, symbol versions,
// an offset in the file, a function pointer in data, and one that frees whatever it is given.
#include <cstdlib>
#include <new>

#define KEPT __attribute__((noinline, noclone))
#define EXPORTED __attribute__((visibility("default"))) KEPT

namespace kinds {

class Node {
public:
    KEPT void retain() { __atomic_add_fetch(&references_, 1, __ATOMIC_RELAXED); }
    KEPT void retain(long times) { __atomic_add_fetch(&references_, times, __ATOMIC_RELAXED); }
    KEPT long release() { return __atomic_sub_fetch(&references_, 1, __ATOMIC_ACQ_REL); }

private:
    long references_ = 1;
};

KEPT static Node* make_node(int) {
    return new (std::malloc(sizeof(Node))) Node();
}
KEPT static void free_node(void* node) {
    std::free(node);
}

}  // namespace kinds

extern "C" {

// A table of functions in data, as classes of C libraries have.
__attribute__((visibility("default"))) struct Operations {
    const char* name;
    void (*free)(void*);
} kinds_operations = {"node", kinds::free_node};

EXPORTED void kinds_free(void* memory) {
    kinds_operations.free(memory);
}

// Two versions of one name.
EXPORTED kinds::Node* make_first() {
    return kinds::make_node(1);
}
EXPORTED kinds::Node* make_second() {
    return kinds::make_node(2);
}
__asm__(".symver make_first, kinds_make@KINDS_1");
__asm__(".symver make_second, kinds_make@@KINDS_2");

// One life: made, held twice, let go twice, freed; and memory that is nobody's node.
EXPORTED void kinds_use(int times) {
    for (int i = 0; i < times; ++i) {
        kinds::Node* node = i % 2 == 0 ? make_second() : make_first();
        node->retain();
        node->release();
        node->release();
        kinds_free(node);
        kinds_free(std::malloc(48));
    }
}

// Inside a function of ours something else is awaited.
EXPORTED int kinds_wait(int (*until)(void)) {
    volatile int calls = 1;  // kept on the stack: what follows is no first instruction
    calls = calls + until();
    return calls;
}
}
