"""First instructions, moved as hooks do: executed beside the original ones (relocation.cpp says how).

A bounded set of libraries; scripts/relocations does it for all of a machine."""

import glob
import re
import unittest

from lastref_testing import LastrefTest, plain, program

LIBRARIES = ["libc.so.6", "libstdc++.so.6", "libglib-2.0.so.0", "libgobject-2.0.so.0",
             "libgstreamer-1.0.so.0", "libavutil.so.*", "libavcodec.so.*", "libcrypto.so.3",
             "libssl.so.3", "libdbus-1.so.3", "libz.so.1", "libunwind.so.8"]


def installed():
    found = []
    for name in LIBRARIES:
        found += sorted(glob.glob(f"/lib/x86_64-linux-gnu/{name}"))[:1]
    return found


class Relocation(LastrefTest):
    def check(self, *arguments):
        result = plain([program("hooks/relocation"), *arguments])
        if result.status == 77:
            self.skipTest(result.stderr)
        total = re.search(r"^total: (\d+) functions, (\d+) moved, (\d+) refused, (\d+) not run to "
                          r"their end, (\d+) wrong(?:, (\d+) of (\d+) spoiled)?", result.stdout, re.M)
        self.assertIsNotNone(total, repr(result))
        return result, [int(number or 0) for number in total.groups()]

    def test_moved_instructions_do_what_the_original_ones_do(self):
        result, (functions, moved, refused, _, wrong, *_) = self.check("--every", "3", *installed())
        self.assertEqual((result.status, wrong), (0, 0), result.stdout)
        self.assertGreater(functions, 1000)
        self.assertEqual(moved + refused, functions)
        self.assertLess(refused, functions / 100, result.stdout)

    def test_a_wrong_distance_is_found(self):
        result, numbers = self.check("--spoil", "--every", "3", *installed())
        found, spoiled = numbers[5:]
        self.assertGreater(spoiled, 100, result.stdout)
        self.assertEqual(found, spoiled, result.stdout)


if __name__ == "__main__":
    unittest.main(verbosity=2)
