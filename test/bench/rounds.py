"""How a row of scripts/bench is measured: server and load on a processor each, servers in turn, round after round."""
import collections
import contextlib
import functools
import os
import statistics
import subprocess
import sys
import tempfile
import time

from bench.measuring import Load, on_processor, wait_until_idle
from bench.servers import Floor, Missing
from support.load import Wrk
from support.trackd import Daemon, wait_until

# As it is out of the box: the settings that tests make small are its own again.
DEFAULT = {"journal.segment_bytes": None, "journal.min_free_bytes": None}
NULL_SINK = {**DEFAULT, "sinks": '[{name="null",kind="null"}]'}
MEMORY = {**NULL_SINK, "tracker.ack": "accepted", "backlog.kind": "memory"}
JOURNALED = {**NULL_SINK, "tracker.ack": "journaled", "backlog.kind": "journal"}

# Requests a second; processor time of the server's whole process in µs a request; a latency in µs.
Figures = collections.namedtuple("Figures", "rate cost p99")


class Void(Exception):
    """Why a measurement says nothing."""


class Rounds:
    """`tree` is a build tree, `until` the time (time.monotonic) from which on no round begins."""

    def __init__(self, tree, quick, until, processors):
        self.tree, self.until = tree, until
        self.count, self.seconds = (1, 1) if quick else (5, 3)
        # With 64 connections load and server fall into one of two rhythms at the beginning: so more rounds, shorter ones.
        self.many = dict(count=1 if quick else 15, seconds=1)
        self.pending_events = 100_000 if quick else 1_000_000  # of a drain
        self.server, self.load = processors[0], processors[-1]
        self.other = processors[1]  # for a server that uses two
        self.missing = set()  # what was left out, each said once

    # --- servers: each of these is a context manager that gives one which runs

    @contextlib.contextmanager
    def trackd(self, settings, wrapper=None):
        """One that is not pinned to its processor has a wrapper of its own."""
        daemon = Daemon(settings, wrapper=on_processor(self.server) if wrapper is None else wrapper)
        try:
            yield daemon
        finally:
            daemon.kill()

    @contextlib.contextmanager
    def peer(self, kind, wrapper=None):
        server = kind(self.tree, on_processor(self.server) if wrapper is None else wrapper)
        try:
            yield server
        finally:
            server.kill()

    def floor(self):
        return self.peer(Floor)

    @contextlib.contextmanager
    def watched(self, settings):
        """trackd, and somebody who looks at its events, on the load's processor."""
        with self.trackd(settings) as daemon:
            tail = subprocess.Popen(
                [*on_processor(self.load), "curl", "--silent", "--no-buffer", "--output", os.devnull,
                 "http://{}:{}/events/tail".format(*daemon.admin)])
            try:
                wait_until(lambda: any(one["state"] == "streaming" for one in daemon.tasks()["connections"]), "the tail")
                yield daemon
                if tail.poll() is not None:
                    raise Void("the tail has ended")
            finally:
                tail.kill()
                tail.wait()

    # --- measuring

    def interleaved(self, measures, count=None):
        """Calls each of the measures (name → function) once a round; name → what it gave, round by round. One of a
        server that is not installed is left out."""
        found = {name: [] for name in measures}
        for _ in range(count or self.count):
            for name in list(found):
                if time.monotonic() > self.until:
                    raise Void("no time is left")
                try:
                    found[name].append(measures[name]())
                except Missing as why:
                    del found[name]
                    if name not in self.missing:
                        print(f"bench: without {name}: {why}", file=sys.stderr)
                    self.missing.add(name)
        return found

    def run_load(self, server, request, **options):
        """What the load generator has counted; every answer is 201. A closed loop, where each connection waits for its
        answer before it sends again, is wrk's, unless `depth` asks for our own generator: that opens thousands at once."""
        if set(options) <= {"connections", "seconds"}:
            return self.closed_loop(server, request, **options)
        with self.open_load(server, request, **options) as load:
            return load.result

    def closed_loop(self, server, request, connections=64, seconds=None):
        with tempfile.NamedTemporaryFile() as file:
            file.write(request)
            file.flush()
            wrk = Wrk(server.ingest, connections, seconds or self.seconds, wrapper=on_processor(self.load),
                      request=file.name)
            try:
                counted = wrk.result()
            finally:
                wrk.kill()
        if counted["others"] or not counted["created"]:
            raise Void(f"not every request was answered 201: {counted}")
        return {"answers": counted["created"], "seconds": counted["seconds"], "latency_us": {"p99": counted["p99"]}}

    def open_load(self, server, request, **options):
        program = (self.tree / "test" / "bench" / "http_load").resolve()
        load = Load(program, server.ingest, request, on_processor(self.load), **{"seconds": self.seconds, **options})
        if set(load.result["statuses"]) != {"201"} or load.result["broken"] or load.result["unanswered"]:
            load.close()
            raise Void(f"not every request was answered 201: {load.result}")
        return load

    def figures(self, make, request, **options):
        """Those of one load on a new server. What it does after the last answer counts: delivering the rest, say."""
        with make() as server:
            before = wait_until_idle(server.pid)
            result = self.run_load(server, request, **options)
            if isinstance(server, Daemon):
                server.wait_until_delivered()
            used = wait_until_idle(server.pid) - before
        answers = result["answers"]
        return Figures(answers / result["seconds"], used / answers * 1e6, result["latency_us"]["p99"])

    def compare(self, makes, request, count=None, **options):
        """The figures of servers that take turns (name → what makes one): name → those of each round."""
        return self.interleaved({name: functools.partial(self.figures, make, request, **options)
                                 for name, make in makes.items()}, count)


def ratios(above, below, figure):
    """Round by round, so that a mood of the machine that both have met cancels out."""
    return [getattr(one, figure) / getattr(other, figure) for one, other in zip(above, below)]


def median(rounds, figure):
    return statistics.median(getattr(one, figure) for one in rounds)
