#!/usr/bin/env python3
"""Runs clang-tidy with the project's list (.clang-tidy) over src/: tidy.py BUILD_TREE."""

import sys
from pathlib import Path

import compile  # pylint: disable=redefined-builtin
import project

TOOL = "clang-tidy-19"


def check(root, tree):
    rules = (root / ".clang-tidy").read_text()
    jobs = []
    for path, arguments in sorted(compile.commands(tree).items()):
        if path.is_relative_to(root / "src"):
            # The rules stand in the command, so that a changed rule is a changed command.
            jobs.append((path, [
                TOOL, "--quiet", f"--config={rules}", "-p", str(tree), "--extra-arg=-Wno-everything", str(path),
            ]))
    return compile.run_changed(root, tree / "lint" / "tidy", jobs)


if __name__ == "__main__":
    complaints = check(project.ROOT, Path(sys.argv[1]))
    print("".join(complaints), end="")
    sys.exit(1 if complaints else 0)
