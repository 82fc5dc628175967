"""The shim as a file: what it needs, what it exports, and that nothing runs before its own start."""

import os
import re
import subprocess
import unittest

SHIM = os.path.join(os.environ["LASTREF_BUILD"], "shim", "liblastref.so")


def tool(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


class ShimFile(unittest.TestCase):
    def test_needs_libc_only(self):
        needed = [line.split("[")[1].rstrip("]\n") for line in
                  tool("readelf", "-dW", SHIM).splitlines() if "(NEEDED)" in line]
        self.assertLessEqual(set(needed), {"libc.so.6", "ld-linux-x86-64.so.2"})

    def test_no_cxx_runtime(self):
        undefined = [line.split()[-1] for line in
                     tool("nm", "-D", "--undefined-only", SHIM).splitlines()]
        self.assertIn("_r_debug@GLIBC_2.2.5", undefined)
        self.assertEqual([name for name in undefined if name.startswith("_Z")], [])

    def test_no_dynamic_initialisation(self):
        # Other libraries' constructors allocate, and with that begin the session, before ours run.
        symbols = tool("nm", SHIM)
        self.assertIn("interpose_heap", tool("readelf", "--debug-dump=info", SHIM))
        self.assertNotIn("_GLOBAL__sub_I", symbols)

    def test_own_look_up_of_modules_needs_no_new_libc(self):
        shim = SHIM.replace("liblastref.so", "liblastref_own_modules.so")
        newest = [line.split()[-1] for line in tool("nm", "-D", "--undefined-only", shim).splitlines()
                  if re.search(r"@GLIBC_2\.(1[89]|[2-9][0-9])$", line)]
        self.assertEqual(newest, [])
        self.assertIn("_r_debug", tool("nm", "-D", "--undefined-only", shim))

    def test_exports_what_it_intercepts_and_no_more(self):
        names = {line.split()[-1].split("@")[0] for line in
                 tool("nm", "-D", "--defined-only", SHIM).splitlines()}
        self.assertLessEqual({"malloc", "free", "mmap", "vfork", "_exit", "_Znwm", "_ZdlPv",
                              "lastref_shim_create"}, names)
        prefixes = ("_Zn", "_Zd", "lastref_shim_")
        others = {name for name in names if not name.startswith(prefixes)}
        self.assertLessEqual(others, {
            "malloc", "calloc", "realloc", "reallocarray", "free", "cfree", "free_sized",
            "free_aligned_sized", "posix_memalign", "aligned_alloc", "memalign", "valloc",
            "pvalloc", "malloc_usable_size", "mmap", "mmap64", "munmap", "mremap", "brk", "sbrk",
            "fork", "vfork", "clone", "posix_spawn", "posix_spawnp", "dlopen", "dlclose",
            "execl", "execle", "__libc_malloc", "__libc_calloc", "__libc_realloc", "__libc_free",
            "__libc_memalign", "__libc_valloc", "__libc_pvalloc",
            "execlp", "execv", "execve", "execvp", "execvpe", "fexecve", "execveat", "_exit",
            "_Exit", "quick_exit", "abort", "prctl", "syscall"})


if __name__ == "__main__":
    unittest.main()
