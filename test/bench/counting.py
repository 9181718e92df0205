"""What one request makes the daemon do, in numbers that no clock is in: system calls, and allocations on the heap.

A client sends one event on each of its connections, in lock-step: all are there before the daemon looks, and the next
ones follow when all of its threads sleep again, so that what is put off until after the answers is counted, too. Events
are answered `accepted`, kept in memory and given to a null sink. The daemon has one processor: with two its threads
race, and which one wins changes the numbers.
"""
import collections
import contextlib
import os
import pathlib
import re
import struct
import tempfile

from bench.measuring import on_processor
from support import strace
from support.raw_http import Connection, request_bytes
from support.trackd import MEMORY, Daemon, wait_until

SETTINGS = {**MEMORY, "http.threads": 1, "sinks": '[{name="null",kind="null"}]'}
EVENT = '{"type":"order","data":{"customer":4711,"article":"A-17","amount":3}}'
REQUEST = request_bytes("POST", "/events", EVENT, Content_Type="application/json")
WARM_UP = 500  # requests at least, until buffers have the size that they keep


def _processor():
    return min(os.sched_getaffinity(0))


def _on_one_processor():
    # It interrupts nobody: so a client on the same processor can send all before the daemon sees any.
    return (*on_processor(_processor()), "chrt", "--batch", "0")


@contextlib.contextmanager
def _before_the_daemon():
    """What is done here, the daemon sees at once, after it."""
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {_processor()})
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)


def _threads(pid):
    """Thread → whether it sleeps, and how often it has run."""
    found = {}
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        state = (task / "stat").read_text().rpartition(")")[2].split()[0]
        found[task.name] = (state == "S", (task / "schedstat").read_text().split()[2])
    return found


def _is_at_rest(pid):
    """Nothing runs, and nothing has run while we looked at one thread after the other."""
    before = _threads(pid)
    return all(sleeps for sleeps, _ in before.values()) and _threads(pid) == before


def _wait_until_at_rest(daemon):
    while not _is_at_rest(daemon.pid):
        if daemon.process.poll() is not None:
            raise AssertionError(f"it ended with status {daemon.process.returncode}")


def _one_round(daemon, connections):
    with _before_the_daemon():
        for connection in connections:
            connection.send(REQUEST)
    for connection in connections:
        answer = connection.response()
        if answer is None or answer.status != 201:
            raise AssertionError(f"not answered 201: {answer}")
    _wait_until_at_rest(daemon)


def _rounds_of_warm_up(connections):
    return max(20, WARM_UP // connections)


@contextlib.contextmanager
def _connections(daemon, number):
    with contextlib.ExitStack() as opened:
        yield [opened.enter_context(Connection(daemon.ingest)) for _ in range(number)]


@contextlib.contextmanager
def counted_daemon(library):
    """A daemon, and a function that says how many allocations it has made. `library` is that of
    test/bench/allocation_counter.cpp."""
    with tempfile.NamedTemporaryFile() as file:
        daemon = Daemon(SETTINGS, wrapper=_on_one_processor(), environment={
            "LD_PRELOAD": str(pathlib.Path(library).resolve()), "ALLOCATION_COUNT": file.name})
        try:
            if os.path.getsize(file.name) == 0:
                raise AssertionError(f"nothing is counted: {library} is not loaded")
            yield daemon, lambda: struct.unpack("Q", os.pread(file.fileno(), 8, 0))[0]
        finally:
            daemon.kill()


def allocations(rounds, library, connections=1):
    """How many the whole process makes, round by round."""
    counts = []
    first = _rounds_of_warm_up(connections)
    with counted_daemon(library) as (daemon, count), _connections(daemon, connections) as opened:
        for _ in range(first + rounds):
            _one_round(daemon, opened)
            counts.append(count())
    return [after - before for before, after in zip(counts[first:], counts[first + 1:])]


def system_calls(rounds, connections=1):
    """Those of the whole process, round by round, each as name → number."""
    strace.require()
    first = _rounds_of_warm_up(connections)
    with tempfile.NamedTemporaryFile("r") as file:
        daemon = Daemon(SETTINGS, wrapper=(
            *_on_one_processor(), "strace", "-f", "-D", "-q", "-s", "16", "-o", file.name))
        try:
            with _connections(daemon, connections) as opened:
                for _ in range(first + rounds):
                    _one_round(daemon, opened)
            daemon.stop()
            wait_until(lambda: file.read().endswith("+++ exited with 0 +++\n"), "strace has written all")
            file.seek(0)
            trace = file.read()
        finally:
            daemon.kill()
    # A round goes from the arrival of its first request to that of the next one's.
    windows = re.split(r'"POST /events', trace)[1 + first * connections:]
    begins = range(0, len(windows) - connections, connections)
    return [_calls("".join(windows[begin:begin + connections])) for begin in begins]


def _calls(trace):
    return collections.Counter(re.findall(r"^\d+ +(\w+)\(", trace, re.MULTILINE))
