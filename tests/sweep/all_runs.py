"""The tables of real runs together."""

import runs_compilers
import runs_desktop
import runs_languages
import runs_servers
import runs_tools

RUNS = [*runs_tools.RUNS, *runs_languages.RUNS, *runs_compilers.RUNS, *runs_servers.RUNS,
        *runs_desktop.RUNS]
BY_NAME = {row.name: row for row in RUNS}
