"""The programs of /usr/bin that the sweep asks for their version and for help."""

import os
import stat
import struct

FOLDER = "/usr/bin"
# They take the display or the terminal whatever the option, or look for a display for ever.
LEFT_OUT = frozenset(("X", "Xorg", "login", "jconsole"))


def dynamic_program(path):
    """Whether path is a dynamically linked 64-bit ELF program that is not set-uid."""
    status = os.stat(path)
    if not stat.S_ISREG(status.st_mode) or status.st_mode & (stat.S_ISUID | stat.S_ISGID):
        return False
    with open(path, "rb") as file:
        header = file.read(64)
        if len(header) < 64 or header[:5] != b"\x7fELF\x02":
            return False
        start, = struct.unpack_from("<Q", header, 32)
        size, count = struct.unpack_from("<HH", header, 54)
        file.seek(start)
        segments = file.read(size * count)
    return any(struct.unpack_from("<I", segments, i * size)[0] == 3 for i in range(count))


def programs():
    """All of them, each once, whatever other names it has."""
    found, seen = [], set()
    for name in sorted(os.listdir(FOLDER)):
        path = os.path.join(FOLDER, name)
        real = os.path.realpath(path)
        if {name, os.path.basename(real)} & LEFT_OUT or real in seen:
            continue
        seen.add(real)
        if os.access(path, os.X_OK) and dynamic_program(real):
            found.append(path)
    return found
