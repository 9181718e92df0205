"""Makes one thread of another process stand still, while the others go on: as a handler does that never returns."""
import contextlib
import ctypes
import os
import pathlib
import unittest

SEIZE, INTERRUPT, DETACH = 0x4206, 0x4207, 17  # sys/ptrace.h
WALL = 0x40000000  # of waitpid: threads, too

_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.restype = ctypes.c_long
_libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]


def _ptrace(request, thread):
    if _libc.ptrace(request, thread, None, None) != 0:
        raise unittest.SkipTest(f"ptrace is not permitted here: {os.strerror(ctypes.get_errno())}")


def thread_named(pid, name):
    """The id of the process's thread that has this name."""
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        if (task / "comm").read_text().strip() == name:
            return int(task.name)
    raise AssertionError(f"process {pid} has no thread {name}")


@contextlib.contextmanager
def frozen(thread):
    """The thread of this id stands still within the block."""
    _ptrace(SEIZE, thread)
    _ptrace(INTERRUPT, thread)
    os.waitpid(thread, WALL)
    try:
        yield
    finally:
        _ptrace(DETACH, thread)
