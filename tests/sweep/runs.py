"""The real runs of the sweep: what a row of the tables says, and the tables together.

A run is one command in a fresh folder, which is its working directory and its home. It is right
where it ends with `status` and its standard output is `prints`, whatever the setting.
"""

import dataclasses
import os
import re
import shutil

from comparing import shortened, started
from lastref_testing import plain


@dataclasses.dataclass(frozen=True)
class Run:
    name: str
    command: object  # arguments, or the text of a script for bash
    prints: object  # its whole standard output as text, or a pattern for all of it
    needs: tuple = ()  # programs that it runs
    files: tuple = ()  # pairs of name and text: what lies in its folder
    prepare: str = ""  # a script for bash that runs before, never with the shim
    status: int = 0
    input: str = None
    # What it says on stderr is the same each time.
    stderr: bool = True
    # Its traces hold all: False where a program confines itself so that a trace can't grow.
    complete: bool = True
    # Not in Debian or too large for the test's packages: runs where it happens to be.
    extra: bool = False
    # Its events are checked to be in the order in which things happened: see Balance.
    order: bool = False
    variables: tuple = ()

    def arguments(self):
        if isinstance(self.command, str):
            return ["/bin/bash", "-euo", "pipefail", "-c", self.command]
        return list(self.command)

    def expects(self, run):
        """What is wrong with a finished run whatever a plain one does, as text."""
        if run.status != self.status:
            return (f"status {run.status}, not {self.status}; stdout {shortened(run.stdout)!r}, "
                    f"stderr {shortened(run.stderr)!r}")
        if isinstance(self.prints, str):
            right = run.stdout == self.prints
        else:
            right = re.fullmatch(self.prints, run.stdout)
        return "" if right else f"stdout {shortened(run.stdout)!r}, not {self.prints!r}; " \
                                f"stderr {shortened(run.stderr)!r}"


def missing(row):
    """The programs that the row needs and the machine hasn't."""
    return [name for name in row.needs if not shutil.which(name)]


def run_in(row, setting, folder):
    """One run of `row` in `setting`; makes `folder`. The finished run."""
    os.mkdir(folder)
    os.chmod(folder, 0o777)  # the setting may be that of another user
    for name, text in row.files:
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            file.write(text)
    variables = {"HOME": folder, "LC_ALL": "C", **dict(row.variables)}
    if row.prepare:
        made = plain(["/bin/bash", "-euo", "pipefail", "-c", row.prepare], env=variables,
                     cwd=folder)
        if made.status != 0:
            raise AssertionError(f"{row.name}: prepare ends with {made!r}")
    return started(row.arguments(), setting, folder, environment=variables, input=row.input)
