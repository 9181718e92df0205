#!/usr/bin/env python3
"""Checks the house rules of C++ sources that neither a compiler nor clang-tidy knows."""

import re
from pathlib import Path

import project

# What must not stand in the code, which files are meant, which of them may do it all the same, and why.
BANNED = [
    (r"\bdetached\b", r"^(include|src)/", r"^src/base/task_group\.",
     "asio::detached: nobody counts or awaits that coroutine; use base::task_group"),
    (r"\bthis_thread\s*::\s*sleep_\w+|\bsleep_for\b|\b(usleep|nanosleep)\s*\(", r"^(include|src)/", None,
     "sleeping blocks the thread and everything on it; await a timer"),
    (r"\bstd\s*::\s*(cout|cerr|clog)\b|\b(printf|puts|putchar)\s*\(", r"^(include|src)/",
     r"^src/(main|[a-z]+/command_line)\.",
     "only main and the command line write to the terminal; use the log"),
    (r"^using\s+namespace\b", r"\.hpp$", None,  # inside a function it does no harm
     "using namespace in a header reaches into whoever includes it"),
    (r"^\s*#\s*ifndef\s+\w+_(H|HPP)_?\s*$", r"\.hpp$", None, "headers use #pragma once"),
]

_CATCH_ALL = re.compile(r"\bcatch\s*\(\s*\.\.\.\s*\)\s*\{")
_TELLS_NOBODY = re.compile(r"\s*(?:(?:return|continue|break)\s*;)?\s*")
_TEST_NAME = re.compile(r'\b(?:TEST_CASE|SCENARIO|TEST_CASE_METHOD)\s*\([^"]*"((?:\\.|[^"\\])*)"')


def block(text, opening):
    """The text between the brace at `opening` and the one that closes it."""
    depth = 0
    for at in range(opening, len(text)):
        depth += {"{": 1, "}": -1}.get(text[at], 0)
        if depth == 0:
            return text[opening + 1:at]
    return text[opening + 1:]


def has_header(path):
    """Whether this is the .cpp of a header, which then speaks for both."""
    return path.suffix == ".cpp" and any(
        header.exists()
        for header in (path.with_suffix(".hpp"), path.parents[2] / "include" / "trackd" / f"{path.stem}.hpp")
    )


def check_file(path, name):
    text = path.read_text()
    code = project.code(text)
    findings = []

    def found(offset, what):
        findings.append((path, project.line_of(text, offset), what))

    for pattern, where, but_not, why in BANNED:
        if re.search(where, name) and not (but_not and re.search(but_not, name)):
            for at in re.finditer(pattern, code, re.MULTILINE):
                found(at.start(), why)
    if re.match(r"(include|src)/", name):
        if not text.startswith("//") and not has_header(path):
            found(0, "the first line should say why this file exists")
        for at in _CATCH_ALL.finditer(code):
            if _TELLS_NOBODY.fullmatch(block(code, at.end() - 1)):
                found(at.start(), "catch (...) that tells nobody: rethrow, keep, answer or log what it caught")
    if name.endswith(".hpp") and "#pragma once" not in text:
        found(0, "headers use #pragma once")
    for at in _TEST_NAME.finditer(text):
        if ";" in at[1]:
            found(at.start(), "CTest splits a test's name at its semicolon, and then runs nothing")
    return findings


def check(root):
    root = Path(root)
    findings = []
    for path in project.cpp(root, "include", "src", "test", "docs"):
        findings += check_file(path, path.relative_to(root).as_posix())
    return findings


if __name__ == "__main__":
    project.tell(check(project.ROOT))
