// 300 threads whose blocks are freed after their start routine returned: by destructors of a
// pthread_key (three rounds of them, each allocating anew), of a C++ thread_local object, and of
// the thread that ends the process. 3,001 bytes: key; 3,002: allocated within the key's
// destructor; 3,003: thread_local.
//
// SPDX-License-Identifier: Apache-2.0
#include <pthread.h>

#include <atomic>
#include <thread>
#include <vector>

#include "program.h"

namespace {

constexpr int kThreads = 300;
constexpr int kTogether = 10;
constexpr int kRounds = 3;  // PTHREAD_DESTRUCTOR_ITERATIONS is 4

pthread_key_t key;
std::atomic<int> key_frees, object_frees;

struct Slot {
    void* block;
    int round;
};

void free_slot(void* pointer) {
    auto* slot = static_cast<Slot*>(pointer);
    free(kept(slot->block));
    key_frees++;
    if (++slot->round < kRounds) {
        slot->block = kept(malloc(3002));
        pthread_setspecific(key, slot);
    } else {
        free(slot);
    }
}

struct Owner {
    void* block = kept(malloc(3003));
    ~Owner() {
        free(kept(block));
        object_frees++;
    }
};

thread_local Owner owner;

void work() {
    auto* slot = static_cast<Slot*>(malloc(sizeof(Slot)));
    *slot = {kept(malloc(3001)), 0};
    CHECK(pthread_setspecific(key, slot) == 0);
    CHECK(owner.block != nullptr);
}

}  // namespace

int main() {
    CHECK(pthread_key_create(&key, free_slot) == 0);
    for (int round = 0; round < kThreads / kTogether; round++) {
        std::vector<std::thread> threads;
        for (int i = 0; i < kTogether; i++) threads.emplace_back(work);
        for (auto& thread : threads) thread.join();
    }
    printf("%d by key, %d by thread_local\n", key_frees.load(), object_frees.load());
    CHECK(owner.block != nullptr);  // freed while the process exits
    return 0;
}
