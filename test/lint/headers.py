#!/usr/bin/env python3
"""Checks that every header compiles alone: headers.py BUILD_TREE.

A header that some source includes before everything else has compiled alone in that source; the compiler is asked about
the others only.
"""

import sys
from pathlib import Path

import compile  # pylint: disable=redefined-builtin
import includes
import project


def proven(root):
    """The headers that are the first include of a file of src/ or test/."""
    found = set()
    for path in project.cpp(root, "src", "test"):
        first = next((line for line in path.read_text().splitlines() if line.lstrip().startswith("#include")), "")
        if path.suffix == ".cpp" and (own := includes.includes(path)) and own[0][1] in first:
            name = own[0][1]
            found.add(root / ("include" if name.startswith("trackd/") else "src") / name)
    return found


def check(root, tree):
    already, every = proven(root), compile.commands(tree)
    of_folder = {path.parent: arguments for path, arguments in every.items()}
    any_of_src = next(arguments for path, arguments in every.items() if path.is_relative_to(root / "src"))
    jobs = []
    for path in project.cpp(root, "include", "src"):
        if path.suffix == ".hpp" and path not in already:
            arguments = of_folder.get(path.parent, any_of_src)
            jobs.append((path, [*arguments, "-fsyntax-only", "-w", "-x", "c++", str(path)]))
    return compile.run_changed(root, tree / "lint" / "headers", jobs)


if __name__ == "__main__":
    complaints = check(project.ROOT, Path(sys.argv[1]).resolve())
    print("".join(complaints), end="")
    sys.exit(1 if complaints else 0)
