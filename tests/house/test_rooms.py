"""The source tree keeps to its rooms: see rooms.py. Also: no file grows beyond a length at which a
second idea has moved in."""

import os
import re
import unittest

import rooms

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SOURCES = (".h", ".cpp", ".c", ".S")
INCLUDE = re.compile(r'\s*#\s*include\s+"([^"]+)"')
# Where the compiler looks for what is included.
INCLUDED_FROM = ("shim", "analyzer")


def sources():
    """Paths below the root, of the shim and the analyzer."""
    for hall in INCLUDED_FROM:
        for folder, _, names in os.walk(os.path.join(ROOT, hall)):
            for name in sorted(names):
                if name.endswith(SOURCES) and "node_modules" not in folder:
                    yield os.path.relpath(os.path.join(folder, name), ROOT)


def includes(path):
    """The project's own files that it includes, below the root."""
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        for line in file:
            found = INCLUDE.match(line)
            if not found:
                continue
            for base in (os.path.dirname(path), *INCLUDED_FROM):
                target = os.path.normpath(os.path.join(base, found[1]))
                if os.path.isfile(os.path.join(ROOT, target)):
                    yield target
                    break


def top_room(path):
    parts = path.split("/")
    if parts[0] == "shim":
        return "shim"
    return parts[1] if len(parts) > 2 and parts[1] in rooms.TOP else "command"


def hall_and_room(path):
    """("", "") for what is in no hall; a room of "" for a file that no room has."""
    for hall, its_rooms in rooms.HALLS.items():
        inside = os.path.relpath(path, hall)
        if inside.startswith("..") or path in rooms.GROUND:
            continue
        if "/" in inside:
            room = inside.split("/")[0]
            return hall, room if room in its_rooms else ""
        stem = os.path.splitext(inside)[0]
        return hall, next((name for name, room in its_rooms.items() if stem in room.files.split()),
                          "")
    return "", ""


class Rooms(unittest.TestCase):
    def test_a_room_sees_only_rooms_below_it(self):
        for its_rooms in (rooms.TOP, *rooms.HALLS.values()):
            below = set()
            for name, room in its_rooms.items():
                self.assertLessEqual(set(room.sees.split()), below, name)
                below.add(name)

    def test_every_file_of_a_hall_is_in_one_room(self):
        for path in sources():
            hall, room = hall_and_room(path)
            if hall:
                self.assertTrue(room, f"{path}: in which room of {hall}? See tests/house/rooms.py")
        for its_rooms in rooms.HALLS.values():
            names = [name for room in its_rooms.values() for name in room.files.split()]
            self.assertEqual(len(names), len(set(names)))

    def test_files_include_what_their_room_may_see(self):
        uncut, wrong = set(), []
        for path in sources():
            for target in includes(path):
                if target in rooms.GROUND:
                    continue
                one, other = top_room(path), top_room(target)
                if one != other and other not in rooms.TOP[one].sees.split():
                    wrong.append(f"{path} includes {target}: {one} does not see {other}")
                hall, room = hall_and_room(path)
                other_hall, other_room = hall_and_room(target)
                if not room or not other_room or hall != other_hall or room == other_room:
                    continue
                arrow = (os.path.basename(path), os.path.basename(target))
                if other_room in rooms.HALLS[hall][room].sees.split():
                    continue
                if arrow in rooms.TO_BE_CUT:
                    uncut.add(arrow)
                else:
                    wrong.append(f"{path} includes {target}: {room} does not see {other_room}")
        self.assertEqual(wrong, [], "\n" + "\n".join(wrong))
        self.assertEqual(rooms.TO_BE_CUT - uncut, set(), "these are cut: take them out of the table")

    def test_no_arrow_is_allowed_in_vain(self):
        """What nobody needs any more would only hide the next one."""
        used = {("top", top_room(path), top_room(target))
                for path in sources() for target in includes(path)}
        for path in sources():
            for target in includes(path):
                hall, room = hall_and_room(path)
                if hall and hall == hall_and_room(target)[0]:
                    used.add((hall, room, hall_and_room(target)[1]))
        for hall, its_rooms in {"top": rooms.TOP, **rooms.HALLS}.items():
            for name, room in its_rooms.items():
                for seen in room.sees.split():
                    self.assertIn((hall, name, seen), used)

    def test_no_file_is_too_long(self):
        for path in sources():
            with open(os.path.join(ROOT, path), encoding="utf-8") as file:
                lines = sum(1 for _ in file)
            check = self.assertGreater if path in rooms.TOO_LONG else self.assertLessEqual
            check(lines, rooms.MOST_LINES, path)


if __name__ == "__main__":
    unittest.main()
