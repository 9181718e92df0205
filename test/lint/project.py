"""What the lint programs share: which files there are, C++ without its comments and strings, how findings are told."""

import os
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SKIPPED = {".git", "build", "data", ".cache", "__pycache__", "node_modules", "python_modules"}


def files(root, folders, suffixes):
    """All files under root/folder with one of these suffixes (all files, if there is none), sorted."""
    found = []
    for folder in folders:
        for path, names, leaves in os.walk(Path(root) / folder):
            names[:] = [name for name in names if name not in SKIPPED]
            found += [Path(path) / leaf for leaf in leaves if not suffixes or Path(leaf).suffix in suffixes]
    return sorted(found)


def cpp(root, *folders):
    """All C++ files under root/folder."""
    return files(root, folders, {".hpp", ".cpp"})


_NOT_CODE = re.compile(
    r"""//[^\n]*|/\*.*?\*/                                # comments
      |R"(?P<mark>[^(\s]*)\(.*?\)(?P=mark)"               # raw strings
      |"(?:\\.|[^"\\\n])*"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])*'  # strings and characters, but not the 1'000 of numbers
    """,
    re.DOTALL | re.VERBOSE,
)


def code(text):
    """The text with comments and literals made blank, each character still on its line and in its column."""
    return _NOT_CODE.sub(lambda found: re.sub(r"[^\n]", " ", found.group()), text)


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def tell(findings):
    """Prints the findings, which are (path, line, what), and ends with the exit status that they give."""
    for path, line, what in findings:
        shown = path.relative_to(ROOT) if path.is_relative_to(ROOT) else path
        print(f"{shown}:{line}: {what}")
    sys.exit(1 if findings else 0)
