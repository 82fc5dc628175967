// Runs the generated functions: `torture [storm | steps]`, on the main thread, then on two threads
// at once. With `storm` a timer's signals come in between, handled wherever the thread is, in
// malloc too; with `steps` a signal at each of the program's first instructions. Both need a malloc
// that signal handlers may call (signal_safe_malloc).
//
// SPDX-License-Identifier: Apache-2.0
#include <pthread.h>
#include <string.h>
#include <sys/time.h>

#include "../process/program.h"
#include "ways.h"

namespace {

constexpr int kRoots = 30;

void run(uint64_t seed) {
    Context c = {};
    c.random = seed;
    for (int root = 0; root < kRoots; root++) {
        c.budget = 20 + static_cast<int>(c.next(100));
        c.most_deep = 4 + static_cast<int>(c.next(60));
        c.barriers = 0;
        c.target = nullptr;
        try {
            call_any(c, 0);
        } catch (const TortureError&) {
            c.allocate();
        }
    }
    for (void* block : c.blocks) free(block);
}

// Allocates on the way down, so that the walk is cut at the limit at many depths.
TORTURE_NOINLINE int descend(Context& c, int depth) {
    if (depth % 100 == 0) c.allocate();
    const int below = depth == 0 ? 0 : descend(c, depth - 1);
    if (depth % 100 == 50) c.allocate();
    return below + 1;
}

void* run_thread(void* seed) {
    const AlternateStack stack;
    run(*static_cast<uint64_t*>(seed));
    return nullptr;
}

}  // namespace

int main(int count, char** arguments) {
    const bool storm = count > 1 && strcmp(arguments[1], "storm") == 0;
    prepare_ways();
    const AlternateStack stack;
    if (count > 1 && strcmp(arguments[1], "steps") == 0) {
        step_through(12000);
        run(6);
        printf("%d instructions not stepped through\n", steps_left);
        return steps_left > 0;
    }
    const itimerval often = {{0, 500}, {0, 500}}, never = {};
    if (storm) CHECK(setitimer(ITIMER_REAL, &often, nullptr) == 0);
    run(1);
    uint64_t seeds[] = {2, 3};
    pthread_t threads[2];
    for (int i = 0; i < 2; i++)
        CHECK(pthread_create(&threads[i], nullptr, run_thread, &seeds[i]) == 0);
    run(4);
    for (pthread_t thread : threads) CHECK(pthread_join(thread, nullptr) == 0);
    Context c = {};
    c.random = 5;
    const int depth = descend(c, 10000);
    for (void* block : c.blocks) free(block);
    if (storm) CHECK(setitimer(ITIMER_REAL, &never, nullptr) == 0);
    printf("%d frames deep\n", depth);
    return 0;
}
