"""strace(1) around the daemon: makes one of its system calls fail, take long, or be its last.

    daemon = self.start(**strace.inject("fdatasync", "error=EIO", when=3))

Calls are counted for each thread by itself: `when=3` strikes in every thread that gets so far. The process that is
started is the daemon itself, with its own pid; strace stands beside it.
"""
import functools
import os
import shutil
import subprocess
import unittest

# Without --seccomp-bpf, under which a signal that is injected gets lost.
BESIDE = ("strace", "-f", "-D", "-qq", "-o", "/dev/null")


@functools.cache
def _objection():
    """Why it cannot be used here; nothing if it can."""
    if not shutil.which("strace"):
        return "strace is not installed"
    tried = subprocess.run([*_wrapper("fchdir", "error=EIO", 1), "true"], capture_output=True, text=True)
    return f"strace is not permitted here: {tried.stderr.strip()}" if tried.returncode or tried.stderr else ""


def _wrapper(calls, what, when):
    return (*BESIDE, "-e", f"trace={calls}", "-e", f"inject={calls}:{what}:when={when}")


def require():
    """Skips the test where strace does not work."""
    if _objection():
        raise unittest.SkipTest(_objection())


def _start_under(*arguments):
    # A process under strace cannot be searched for leaks.
    sanitizer = ":".join(filter(None, (os.environ.get("ASAN_OPTIONS"), "detect_leaks=0")))
    return {"wrapper": arguments, "environment": {"ASAN_OPTIONS": sanitizer}}


def record(calls, path):
    """What to start a daemon with so that the file has a line for each of these calls, once it has returned."""
    require()
    return _start_under("strace", "-f", "-D", "-qq", "-y", "-o", str(path), "-e", f"trace={calls}")


def inject(calls, what, when):
    """What to start a daemon with so that the `when`-th of these calls (names with commas between) meets `what`."""
    require()
    return _start_under(*_wrapper(calls, what, when))
