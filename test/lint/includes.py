#!/usr/bin/env python3
"""Checks the direction of every include between folders: arrows point down the floors, and files form no circle.

The floors, from the top: main; service; admin and intake; tracker, backlog and sinks; http and config; base and the
vocabulary. A folder includes only what lies on a floor below its own; the tables here say who may not know whom beyond
that.
"""

import re
from pathlib import Path

import project

FLOORS = [{"base"}, {"http", "config"}, {"tracker", "backlog", "sinks"}, {"admin", "intake"}, {"service"}, {"main"}]
FLOOR = {folder: floor for floor, folders in enumerate(FLOORS) for folder in folders}

# Below, but to be reached through include/trackd only: only the service knows the concrete ones.
PRIVATE = {"tracker", "backlog", "sinks"}
KNOWS_PRIVATE = {"service"}

# The vocabulary that a folder must not know: http knows no events, intake and a sink know nothing of each other.
UNKNOWN = {
    "base": {"tracker", "backlog", "sink", "service"},
    "config": {"event", "batch", "tracker", "backlog", "sink", "service"},
    "http": {"event", "batch", "tracker", "backlog", "sink", "service"},
    "backlog": {"tracker", "sink", "service"},
    "sinks": {"tracker", "backlog", "service"},
    "tracker": {"service"},
    "intake": {"backlog", "sink", "service"},
}

_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(?:"([^"]+)"|<(trackd/[^>]+)>)', re.MULTILINE)


def includes(path):
    """(line, name) of each include of the project's own files; a public header's name begins with trackd/."""
    text = path.read_text()
    return [(project.line_of(text, at.end()), at[1] or at[2]) for at in _INCLUDE.finditer(text)]


def folder_of(root, path):
    """The folder under src/ that the file belongs to; "" for a public header."""
    inside = path.relative_to(root).parts
    if inside[0] == "include":
        return ""
    return inside[1] if len(inside) > 2 else "main"


def objection(own, name):
    """Why a file in the folder `own` may not include `name`; None if it may."""
    other, _, rest = name.partition("/")
    if other == "trackd":
        if Path(rest).stem in UNKNOWN.get(own, ()):
            return f"{own} must not know <{name}>"
        return None
    if own == "":
        return f'a public header includes "{name}"; it may include public headers only'
    if own not in FLOOR:
        return f"{own} stands on no floor: give it one in test/lint/includes.py"
    if other not in FLOOR or not rest:
        return f'"{name}" is not written as "folder/file.hpp"'
    if other == own:
        return None
    if FLOOR[other] >= FLOOR[own]:
        return f'{own} includes "{name}", which stands on no floor below it'
    if other in PRIVATE and own not in KNOWS_PRIVATE:
        return f'{own} includes "{name}"; only {", ".join(sorted(KNOWS_PRIVATE))} may: use include/trackd/'
    return None


def circles(graph):
    """Each circle of includes, as the list of its files, told from its first."""
    found, done = [], set()

    def visit(path, way):
        if path in way:
            found.append(way[way.index(path):] + [path])
        elif path not in done:
            for below in graph.get(path, ()):
                visit(below, way + [path])
            done.add(path)

    for path in graph:
        visit(path, [])
    return found


def check(root):
    root = Path(root)
    findings, graph = [], {}
    for path in project.cpp(root, "include", "src"):
        own = folder_of(root, path)
        graph[path] = []
        for line, name in includes(path):
            if why := objection(own, name):
                findings.append((path, line, why))
            graph[path].append(root / ("include" if name.startswith("trackd/") else "src") / name)
    for circle in circles(graph):
        findings.append((circle[0], 1, "a circle of includes: " + " > ".join(path.name for path in circle)))
    return findings


if __name__ == "__main__":
    project.tell(check(project.ROOT))
