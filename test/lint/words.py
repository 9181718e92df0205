#!/usr/bin/env python3
"""Checks all text files of the project for what belongs to one machine or to another day."""

import re
from pathlib import Path

import project

RULES = [
    (r"(?<![\w.}])/(?:home|root|work|Users)/\w", "a path of somebody's machine"),
    (r"\b(?:TODO|FIXME|XXX|HACK)\b", "unfinished: do it, or write an issue"),
    (r"^(?:<<<<<<<|>>>>>>>)", "a merge that was not finished"),
    (r"[ \t]+$", "blanks at the end of the line"),
    (r"\r$", "a line that ends in CR"),
]
FOLDERS = [".ci", "cmake", "config", "docs", "include", "scripts", "src", "test"]
# Samples of bad input are what they are; the rules' own tests break the rules.
NOT_OURS = re.compile(r"^test/(lint/|.*(corpus|samples|fixtures)/)|\.(jsonl|bin|svg|png|ico)$")


def check(root):
    root = Path(root)
    findings = []
    top = [path for path in sorted(root.iterdir()) if path.is_file() and path.suffix in ("", ".json", ".md", ".txt")]
    for path in top + project.files(root, FOLDERS, ()):
        if NOT_OURS.search(path.relative_to(root).as_posix()):
            continue
        try:
            lines = path.read_bytes().decode().split("\n")
        except UnicodeDecodeError:
            continue
        for number, line in enumerate(lines, 1):
            for pattern, what in RULES:
                if re.search(pattern, line) and not (path.suffix == ".md" and what.startswith("blanks")):
                    findings.append((path, number, what))
        if lines[-1]:
            findings.append((path, len(lines), "the last line does not end"))
    return findings


if __name__ == "__main__":
    project.tell(check(project.ROOT))
