"""How the lint programs compile: the commands of a build tree, on all processors, and not again for what is the same."""

import hashlib
import json
import os
import shlex
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import includes


def commands(tree):
    """For each source that the build tree compiles: its arguments, without what names the output."""
    found = {}
    for entry in json.loads((Path(tree) / "compile_commands.json").read_text()):
        arguments = shlex.split(entry["command"])
        if Path(arguments[0]).name == "ccache":
            arguments.pop(0)
        at = arguments.index("-o")
        del arguments[at:at + 2]
        arguments.remove("-c")
        arguments.remove(entry["file"])
        found[Path(entry["file"])] = arguments
    return found


def with_all_includes(root, path):
    """The file and all files of the project that it includes, directly or not."""
    seen, waiting = set(), [path]
    while waiting:
        path = waiting.pop()
        if path in seen or not path.exists():
            continue
        seen.add(path)
        for _, name in includes.includes(path):
            waiting.append(root / ("include" if name.startswith("trackd/") else "src") / name)
    return sorted(seen)


def fingerprint(root, path, arguments):
    """Changes whenever the outcome of compiling the file could, as far as the project's own files go."""
    digest = hashlib.sha256(repr(arguments).encode())
    for file in with_all_includes(root, path):
        digest.update(file.as_posix().encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()


def run_changed(root, store, jobs):
    """Runs each (file, arguments) whose file or arguments changed since it last went well; what the failing ones said.

    `store` is the folder that remembers them: an empty file a success, named by its fingerprint.
    """
    store.mkdir(parents=True, exist_ok=True)

    def run(job):
        path, arguments = job
        good = store / fingerprint(root, path, arguments)
        if not good.exists():
            done = subprocess.run(arguments, check=False, capture_output=True, text=True)
            if done.returncode:
                return done.stdout or done.stderr # clang-tidy's stderr only counts what it left out
            good.touch()
        return None

    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        return [said for said in pool.map(run, jobs) if said]
