#!/usr/bin/env python3
"""Measures the rows of docs/benchmarks.md, and writes them there.

    scripts/bench [--quick] [ROW ...]

Without rows all of them, and the curves. --quick: rounds of a second, too short to mean much; its figures are marked as
a trial. The server has one processor, the load another. The whole takes twenty minutes at most: rows for which no time
is left stay as they were. The journals are in the system's place for temporary files (TMPDIR).
"""
import argparse
import os
import pathlib
import platform
import resource
import signal
import subprocess
import sys
import tempfile
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "test"))
from bench import page  # noqa: E402
from bench.curves import curves  # noqa: E402
from bench.measuring import Disk, file_system  # noqa: E402
from bench.rounds import Rounds, Void  # noqa: E402
from bench.rows import ROWS  # noqa: E402
from bench.servers import Go  # noqa: E402

TREE = ROOT / "build" / "release"
PAGE = ROOT / "docs" / "benchmarks.md"
LONGEST = 20 * 60 - 30  # seconds until the last round begins


def read_arguments():
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("rows", nargs="*", metavar="ROW", help=", ".join([*ROWS, "curves"]))
    given = parser.parse_args()
    if unknown := set(given.rows) - {*ROWS, "curves"}:
        parser.error(f"no row is called {', '.join(sorted(unknown))}; there are {', '.join([*ROWS, 'curves'])}")
    return given


def allow_many_connections():
    """For this process and all that it starts."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def commit():
    return subprocess.run(["git", "describe", "--always", "--dirty", "--exclude", "*"], cwd=ROOT, check=True,
                          capture_output=True, text=True).stdout.strip()


def machine(disk, processors):
    model = next((line.partition(":")[2].strip() for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines()
                  if line.startswith("model name")), platform.machine())
    kernel = platform.release().partition("-")[0]
    where = file_system(tempfile.gettempdir()).split()[0]
    return (f"The last run was on {processors} processors ({model}), Linux {kernel}, journals on {where}.\n"
            f"There a block of 4 KiB and its `fdatasync` took: {disk.line()}.")


def main():
    given = read_arguments()
    processors = sorted(os.sched_getaffinity(0))
    if len(processors) < 2:
        sys.exit("scripts/bench: needs two processors: one for the server, one for the load")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that what was started is ended
    allow_many_connections()
    os.environ["TRACKD"] = str(TREE / "src" / "trackd")
    Go.build(TREE)
    bench = Rounds(TREE, quick=given.quick, until=time.monotonic() + LONGEST, processors=processors)
    disk, done_at = Disk(tempfile.gettempdir()), commit() + (", a trial" if given.quick else "")
    lines, failed = {}, False
    for name in given.rows or [*ROWS, "curves"]:
        began = time.monotonic()
        try:
            if name == "curves":
                curves(bench, PAGE.with_suffix(""))
                print("curves: drawn", flush=True)
            else:
                lines[name] = page.line_of(name, ROWS[name], ROWS[name].measure(bench), done_at)
                print(lines[name], end="", flush=True)
        except (Void, AssertionError, unittest.SkipTest, OSError, subprocess.SubprocessError) as why:
            failed = True
            print(f"scripts/bench: {name}: {why}", file=sys.stderr)
        print(f"scripts/bench: {name} took {time.monotonic() - began:.0f} s", file=sys.stderr)
        disk.measure()
        page.write(PAGE, ROWS, lines, machine(disk, len(processors)))
    sys.exit(failed)


if __name__ == "__main__":
    main()
