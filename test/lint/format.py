#!/usr/bin/env python3
"""Checks that every C++ file is formatted as .clang-format says; with --apply, formats them."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import project

TOOL = "clang-format-19"


def clang_format(path, *options):
    """Runs clang-format on one file; what it says, empty when there is nothing to say."""
    done = subprocess.run([TOOL, *options, path], check=False, capture_output=True, text=True)
    return done.stdout + done.stderr


def over_all(root, *options):
    """Runs clang-format on all files, one a processor; what it said of each of which it said something."""
    paths = project.cpp(root, "include", "src", "test")
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        return [said for said in pool.map(lambda path: clang_format(path, *options), paths) if said]


def check(root):
    return over_all(root, "--dry-run", "--Werror", "--ferror-limit=1")


if __name__ == "__main__":
    if "--apply" in sys.argv[1:]:
        complaints = over_all(project.ROOT, "-i")
    else:
        complaints = check(project.ROOT)
    print("".join(complaints), end="")
    if complaints:
        sys.exit(f"{len(complaints)} files; scripts/format mends this")
