"""Real runs: compilers, linkers, builds, debuggers."""

from runs import Run

CXX = """
#include <cstdio>
#include <map>
#include <sstream>
#include <string>
static int matches(const std::string& text) {
    std::map<std::string, int> counts;
    std::istringstream words(text);
    for (std::string word; words >> word;) counts[word]++;
    return static_cast<int>(counts.size());
}
int main() { std::printf("%d\\n", matches("one two one three")); return 4; }
"""
C = """
#include <stdio.h>
#include <stdlib.h>
struct list { struct list *next; int value; };
static struct list *push(struct list *top, int value) {
    struct list *made = malloc(sizeof *made);
    made->next = top; made->value = value; return made;
}
int main(void) {
    struct list *top = NULL; long sum = 0;
    for (int i = 0; i < 1000; i++) top = push(top, i);
    while (top) { struct list *next = top->next; sum += top->value; free(top); top = next; }
    printf("%ld\\n", sum); return 4;
}
"""
MAKEFILE = """
PARTS := $(shell seq 1 40)
sum: $(PARTS:%=part%)
\t@cat $^ | paste -sd+ | bc
part%:
\t@echo $* > $@
"""
CMAKE = """
cmake_minimum_required(VERSION 3.20)
project(small C)
enable_testing()
add_library(part SHARED part.c)
add_executable(small source.c)
target_link_libraries(small part)
add_test(NAME fails COMMAND small)
set_tests_properties(fails PROPERTIES WILL_FAIL TRUE)
foreach(i RANGE 1 8)
  add_test(NAME echo${i} COMMAND ${CMAKE_COMMAND} -E echo ${i})
endforeach()
"""
NINJA = "rule make\n  command = echo $out > $out\n" + "".join(
    f"build made{i}: make\n" for i in range(60)) + "build all: phony " + " ".join(
    f"made{i}" for i in range(60)) + "\n"


def compiles(name, command, source, program, *needs, **more):
    """Compiles, links and runs: the made program must work."""
    return Run(name, f"{command} && ./made || echo \"status $?\"",
               "3\nstatus 4\n" if source.endswith("cpp") else "499500\nstatus 4\n", needs or (name,),
               files=((source, program),), **more)


RUNS = [
    compiles("gcc", "gcc -O2 -g source.c -o made", "source.c", C),
    compiles("gcc-lto", "gcc -O2 -flto=2 source.c -o made", "source.c", C, "gcc"),
    compiles("g++", "g++ -std=c++17 -O1 source.cpp -o made", "source.cpp", CXX),
    compiles("clang", "clang -O2 -g source.c -o made", "source.c", C),
    compiles("clang++", "clang++ -std=c++17 -O1 source.cpp -o made", "source.cpp", CXX),
    compiles("gold", "gcc -fuse-ld=gold -Wl,--threads,--gc-sections source.c -o made", "source.c", C,
             "gcc", "ld.gold"),
    Run("clang-error", ["clang++", "-x", "c++", "-", "-c", "-o", "/dev/null"], "", ("clang++",),
        status=1, input="int main() { return undeclared; }"),
    Run("rustc", "HOME=$(getent passwd \"$(id -u)\" | cut -d: -f6) rustc -O source.rs -o made && ./made || echo \"status $?\"", "4 499500\nstatus 7\n",
        ("rustc",), extra=True, files=(("source.rs", """
use std::collections::HashMap;
fn main() {
    let all: Vec<_> = (0..4u64).map(|n| std::thread::spawn(move || {
        let mut map = HashMap::new();
        for i in 0..1000u64 { map.insert(format!("{}", i), i * (n & 1)); }
        map.values().sum::<u64>() })).collect();
    let sums: Vec<u64> = all.into_iter().map(|t| t.join().unwrap()).collect();
    println!("{} {}", sums.len(), sums[1]); std::process::exit(7);
}
"""),)),
    Run("go", "go build -o made source.go && ./made || echo \"status $?\"", "499500\nstatus 7\n",
        ("go",), extra=True, variables=(("GOFLAGS", "-mod=mod"), ("GOCACHE", "/tmp/go"),),
        files=(("source.go", """
package main

import ("fmt"; "os"; "sync")

func main() {
	var wait sync.WaitGroup
	sums := make(chan int, 1000)
	for i := 0; i < 1000; i++ { wait.Add(1); go func(n int) { defer wait.Done(); sums <- n }(i) }
	wait.Wait(); close(sums); total := 0
	for n := range sums { total += n }
	fmt.Println(total); os.Exit(7)
}
"""),)),
    Run("binutils", "gcc -g -c source.c && ar rcs all.a source.o && ranlib all.a && nm all.a | grep -c main"
        " && objdump -d source.o | grep -c call; objcopy --only-keep-debug source.o d && strip source.o"
        " && readelf -S d | grep -c debug; ld -r -o joined source.o && size joined | wc -l",
        "1\n4\n9\n2\n", ("gcc", "objdump"), files=(("source.c", C),)),
    Run("make", ["make", "-s", "-j4"], "820\n", ("make", "bc"), files=(("Makefile", MAKEFILE),)),
    Run("ninja", ["ninja", "-j4", "--quiet", "all"], "", ("ninja",), files=(("build.ninja", NINJA),)),
    Run("cmake-ctest", "cmake -G Ninja -S . -B build >/dev/null && ninja -C build >/dev/null && "
        "ctest --test-dir build -j4 | grep 'tests passed'", "100% tests passed, 0 tests failed out of 9\n",
        ("cmake", "ctest", "ninja", "gcc"),
        files=(("CMakeLists.txt", CMAKE), ("source.c", C), ("part.c", "int part(void) { return 1; }"))),
    Run("protoc", "protoc --cpp_out=. --python_out=. m.proto && ls && grep -c 'class M' m.pb.h",
        "m.pb.cc\nm.pb.h\nm.proto\nm_pb2.py\n2\n", ("protoc",),
        files=(("m.proto", 'syntax = "proto3";\nmessage M { repeated string words = 1; }\n'),)),
    Run("gdb", "gcc -g source.c -o made; gdb -nx -q -batch -ex 'break push if value == 700' -ex run "
        "-ex 'print value' -ex 'bt 1' -ex 'delete' -ex continue ./made 2>/dev/null | "
        "grep -E '^(\\$1|#0|499500|\\[Inferior)' | sed -e 's/0x[0-9a-f]*/at/' -e 's/process [0-9]*/process/'",
        "$1 = 700\n#0  push (top=at, value=700) at source.c:6\n499500\n"
        "[Inferior 1 (process) exited with code 04]\n", ("gdb", "gcc"), files=(("source.c", C),)),
    Run("strace", "strace -f -o log -e trace=execve sh -c 'echo one; /bin/echo two'; "
        "grep -c '^[0-9]* *execve(\"/bin/echo' log", "one\ntwo\n1\n", ("strace",)),
]
