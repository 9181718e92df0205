"""What one request makes the daemon do, in numbers that no clock is in: system calls, and allocations on the heap.

A client on one connection sends one event, which is answered `accepted`, kept in memory and given to a null sink. The
next one follows when all of the daemon's threads sleep again, so that what is put off until after the answer is
counted, too. The daemon has one processor: with two its threads race, and which one wins changes the numbers.
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
WARM_UP = 500  # requests, until buffers have the size that they keep


def _on_one_processor():
    return on_processor(min(os.sched_getaffinity(0)))


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


def _one_request(daemon, connection):
    connection.send(REQUEST)
    answer = connection.response()
    if answer is None or answer.status != 201:
        raise AssertionError(f"not answered 201: {answer}")
    while not _is_at_rest(daemon.pid):
        pass


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


def allocations(requests, library):
    """How many the whole process makes, request by request."""
    counts = []
    with counted_daemon(library) as (daemon, count), Connection(daemon.ingest) as connection:
        for _ in range(WARM_UP + requests):
            _one_request(daemon, connection)
            counts.append(count())
    return [after - before for before, after in zip(counts[WARM_UP:], counts[WARM_UP + 1:])]


def system_calls(requests):
    """Those of the whole process, request by request, each as name → number."""
    strace.require()
    with tempfile.NamedTemporaryFile("r") as file:
        daemon = Daemon(SETTINGS, wrapper=(
            *_on_one_processor(), "strace", "-f", "-D", "-q", "-s", "16", "-o", file.name))
        try:
            with Connection(daemon.ingest) as connection:
                for _ in range(WARM_UP + requests):
                    _one_request(daemon, connection)
            daemon.stop()
            wait_until(lambda: file.read().endswith("+++ exited with 0 +++\n"), "strace has written all")
            file.seek(0)
            trace = file.read()
        finally:
            daemon.kill()
    # A window goes from one request's arrival to that of the next.
    windows = re.split(r'"POST /events', trace)[WARM_UP:-1]
    return [collections.Counter(re.findall(r"^\d+ +(\w+)\(", window, re.MULTILINE)) for window in windows]
