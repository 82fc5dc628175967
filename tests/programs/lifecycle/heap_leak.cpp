// Heap blocks that nobody frees.
//
// Truth: Inventory::load makes 125 blocks of 400 bytes by new[]; 100 are deleted, 25 (10,000 bytes)
// leak. Labels::add makes 4 blocks by realloc from null that grow to 96 bytes; all 4 leak (384
// bytes). Everything else of the program's own is freed.
#include <cstdio>
#include <cstdlib>
#include <vector>

#define FRAME __attribute__((noinline))

struct Inventory {
    FRAME char* load() { return new char[400]; }
};

struct Labels {
    FRAME void add() {
        void* label = std::realloc(nullptr, 16);
        label = std::realloc(label, 96);
        last = label;
    }
    void* volatile last = nullptr;
};

int main() {
    Inventory inventory;
    Labels labels;
    {
        std::vector<char*> loaded;
        for (int i = 0; i < 125; ++i) loaded.push_back(inventory.load());
        for (int i = 0; i < 125; ++i)
            if (i % 5 != 0) delete[] loaded[i];
    }
    for (int i = 0; i < 4; ++i) labels.add();
    std::puts("loaded");
}
