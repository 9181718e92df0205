"""The rows of docs/benchmarks.md, by name: what each says, what it should be, and how it is measured."""
import collections
import contextlib
import hashlib
import os
import pathlib
import resource
import shutil
import signal
import socket
import sqlite3
import statistics
import subprocess
import tempfile
import time
from functools import partial

from bench import counting, payloads
from bench.measuring import resident_bytes, wait_until_idle
from bench.rounds import DEFAULT, JOURNALED, MEMORY, Void, median, ratios
from bench.servers import PEERS_BY_NAME, Beast, Floor, Go, Nginx
from support import trackd
from support.ports import free_ports

# `values` are those of the rounds, `form` how one is written, `beside` what helps to understand them.
Result = collections.namedtuple("Result", "values form beside", defaults=[""])
# `aim` is what it should be, at most (or at least), and `hope` what is hoped for.
Row = collections.namedtuple("Row", "what aim hope measure")

TIMES = "{:.2f} ×"
KEY = "trk_bench"
KEYS = f'[{{name="bench",sha256="{hashlib.sha256(KEY.encode()).hexdigest()}"}}]'
MIB = 1 << 20


def costs(found):
    """For the column beside: processor time a request of each server, and of others over that of the floor."""
    floor = median(found["floor"], "cost")

    def text(name, cost):
        return f"{name} {cost:.1f}" + ("" if name in ("floor", "trackd") else f" ({cost / floor:.2f} ×)")
    return "µs: " + ", ".join(text(name, median(each, "cost")) for name, each in found.items())


def rates(found):
    return "requests/s: " + ", ".join(f"{name} {median(each, 'rate'):,.0f}" for name, each in found.items())


def over_floor(found):
    return Result(ratios(found["trackd"], found["floor"], "cost"), TIMES, costs(found))


def accepted(bench):
    makes = {"floor": bench.floor, "trackd": partial(bench.trackd, MEMORY)}
    makes.update((name, partial(bench.peer, kind)) for name, kind in PEERS_BY_NAME.items())
    return over_floor(bench.compare(makes, payloads.single(), **bench.many))


def with_a_journal(bench, settings):
    makes = {"floor": bench.floor, "trackd": partial(bench.trackd, settings)}
    return over_floor(bench.compare(makes, payloads.single(), connections=256))


def journaled(bench):
    return with_a_journal(bench, JOURNALED)


def default(bench):
    return with_a_journal(bench, DEFAULT)


def tail(bench):
    makes = {"floor": bench.floor, "alone": partial(bench.trackd, MEMORY), "a tail": partial(bench.watched, MEMORY)}
    return added(bench.compare(makes, payloads.single(), **bench.many), "a tail", "alone")


def added(found, name, to):
    """What one has more than the other, in costs of the floor."""
    more, less = (ratios(found[each], found["floor"], "cost") for each in (name, to))
    return Result([one - other for one, other in zip(more, less)], "{:+.2f} ×", costs(found))


def key_and_cloudevent(bench):
    with_key = partial(bench.trackd, {**MEMORY, "keys": KEYS})
    figures = partial(bench.figures, seconds=bench.many["seconds"])
    return added(bench.interleaved({
        "floor": partial(figures, bench.floor, payloads.single()),
        "plain": partial(figures, partial(bench.trackd, MEMORY), payloads.single()),
        "key and CloudEvent": partial(figures, with_key, payloads.cloudevent(KEY)),
    }, bench.many["count"]), "key and CloudEvent", "plain")


def an_event_of(bench, request, events):
    # The floor's cost of a single event says how fast the processor is; that of a batch, what the bytes cost alone.
    found = bench.interleaved({
        "floor": partial(bench.figures, bench.floor, request),
        "floor, single events": partial(bench.figures, bench.floor, payloads.single()),
        "trackd": partial(bench.figures, partial(bench.trackd, JOURNALED), request),
    })
    rate = median(found["trackd"], "rate") * events
    return Result([each.cost / events for each in found["trackd"]], "{:.2f} µs",
                  f"{rate:,.0f} events/s; µs: floor {median(found['floor'], 'cost') / events:.3f}, "
                  f"of a single event {median(found['floor, single events'], 'cost'):.1f}")


def array(bench):
    return an_event_of(bench, payloads.array(100), 100)


def ndjson(bench):
    return an_event_of(bench, payloads.ndjson(1000), 1000)


def pipelined(bench):
    found = bench.compare({"trackd": partial(bench.trackd, MEMORY), "nginx": partial(bench.peer, Nginx),
                           "floor": bench.floor}, payloads.single(), depth=16)
    if "nginx" not in found:
        raise Void("nginx is not installed")
    return Result(ratios(found["trackd"], found["nginx"], "rate"), TIMES, rates(found))


def open_loop(bench):
    daemon = partial(bench.trackd, MEMORY)
    rate = round(bench.figures(daemon, payloads.single()).rate / 2)
    found = bench.compare({"floor": bench.floor, "trackd": daemon}, payloads.single(), rate=rate)
    latencies = ", ".join(f"{name} {median(each, 'p99'):,.0f}" for name, each in found.items())
    return Result(ratios(found["trackd"], found["floor"], "p99"), TIMES, f"at {rate:,} requests/s, p99 µs: {latencies}")


def idle_connection(bench):
    count = min(15_000, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 1000)

    def bytes_of(make):
        with make() as server:
            bench.run_load(server, payloads.single(), requests=count)  # what all of them use is there after that
            wait_until_idle(server.pid)
            before = resident_bytes(server.pid)
            with bench.open_load(server, payloads.single(), connections=count, requests=count, seconds=60, hold=True):
                wait_until_idle(server.pid)
                return (resident_bytes(server.pid) - before) / count / 1000

    found = bench.interleaved({
        "trackd": partial(bytes_of, partial(bench.trackd, {**MEMORY, "http.max_connections": count + 1000})),
        "Beast": partial(bytes_of, partial(bench.peer, Beast)),
        "Go": partial(bytes_of, partial(bench.peer, Go)),
    }, count=1)
    others = ", ".join(f"{name} {each[0]:.1f}" for name, each in found.items() if name != "trackd")
    return Result(found["trackd"], "{:.2f} KB", f"{count:,} connections; {others}")


def idle_daemon(bench):
    def bytes_of():
        with bench.trackd(DEFAULT) as daemon:
            wait_until_idle(daemon.pid)
            return daemon.resident_bytes() / MIB
    return Result(bench.interleaved({"trackd": bytes_of})["trackd"], "{:.1f} MiB")


def start(bench):
    def milliseconds():
        port, admin = free_ports(2)
        with tempfile.TemporaryDirectory() as directory:
            words = [trackd.binary(), "serve", "--config", os.devnull, "--set", f"http.listen=127.0.0.1:{port}",
                     "--set", f"admin.listen=127.0.0.1:{admin}", "--set", f"data_dir={directory}"]
            began = time.monotonic()
            pid = os.posix_spawn(words[0], words, trackd.clean_environment(),
                                 file_actions=[(os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0)])
            try:
                while not connects(port):
                    if time.monotonic() > began + trackd.PATIENCE:
                        raise Void("trackd does not listen")
                    time.sleep(0.0001)
                return (time.monotonic() - began) * 1000
            finally:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
    return Result(bench.interleaved({"trackd": milliseconds}, count=4 * bench.count)["trackd"], "{:.1f} ms")


def connects(port):
    with contextlib.closing(socket.socket()) as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


LOCK_STEP = 64  # connections of the lock-step client


def system_calls(bench):
    del bench
    calls = partial(sorted, key=collections.Counter.total)
    together = calls(counting.system_calls(100, LOCK_STEP))
    alone = calls(counting.system_calls(300))
    beside = f"a round of {LOCK_STEP}: " + ", ".join(f"{name} {count}" for name, count in usual(together).most_common())
    return Result([each.total() / LOCK_STEP for each in together], "{:.2f}",
                  f"{beside}; a request that comes alone: {usual(alone).total()}")


def allocations(bench):
    library = bench.tree / "test" / "bench" / "liballocation_counter.so"
    together = sorted(counting.allocations(100, library, LOCK_STEP))
    alone = sorted(counting.allocations(300, library))
    return Result([each / LOCK_STEP for each in together], "{:.2f}",
                  f"a round of {LOCK_STEP}: {usual(together)}; a request that comes alone: {usual(alone)}")


def usual(ordered):
    return ordered[len(ordered) // 2]


def many_connections(bench):
    few, many = "64 connections", "10,000 connections"
    figures = partial(bench.figures, partial(bench.trackd, MEMORY), payloads.single())
    found = bench.interleaved({few: partial(figures, connections=64, depth=1),
                               many: partial(figures, connections=10_000, depth=1)})
    return Result(ratios(found[many], found[few], "rate"), TIMES, rates(found))


def two_threads(bench):
    # On a machine with two processors the load has to share one of them: processor time is what counts. What that alone
    # costs shows in the floor's.
    both = ("taskset", "-c", f"{bench.server},{bench.other}")
    makes = {}
    for name, count in (("one thread", 1), ("two threads", 2)):
        makes[name] = partial(bench.trackd, {**MEMORY, "http.threads": count}, both)
        makes["floor, " + name] = partial(bench.peer, partial(Floor, threads=count), both)
    found = bench.compare(makes, payloads.single(), **bench.many)
    floor = ratios(found["floor, two threads"], found["floor, one thread"], "cost")
    return Result(ratios(found["two threads"], found["one thread"], "cost"), TIMES,
                  f"floor {statistics.median(floor):.2f} ×; {rates(found)}")


def drain(bench):
    events = bench.pending_events

    def rate_over_import():
        with bench.trackd({**DEFAULT, "shutdown.drain_timeout": "10m"}, wrapper=()) as daemon:
            daemon.post({"n": 0})
            daemon.wait_until_delivered()  # so that there is a database to lock
            with contextlib.closing(daemon.lock_database()):
                bench.run_load(daemon, payloads.ndjson(1000), connections=4, requests=events // 1000, seconds=300)
            # The shutdown tries at once what has failed, without waiting for its next attempt.
            summary = daemon.stop(patience=600)
            return seconds_of_import(daemon.database) / summary.took, events / summary.took

    found = bench.interleaved({"trackd": rate_over_import}, count=(bench.count + 1) // 2)["trackd"]
    rows = ", ".join(f"{rate:,.0f}" for _, rate in found)
    return Result([ratio for ratio, _ in found], TIMES, f"{events:,} events; rows/s: {rows}")


def seconds_of_import(database):
    """How long sqlite3 takes to import the rows of this database into another one, with the same table and sync."""
    place = pathlib.Path(tempfile.mkdtemp(prefix="trackd-bench-"))
    try:
        with contextlib.closing(sqlite3.connect(database)) as source, contextlib.closing(
                sqlite3.connect(place / "copy.db")) as copy:
            copy.execute("PRAGMA journal_mode=WAL")
            for (statement,) in source.execute("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL"):
                copy.execute(statement)
        with (place / "rows.csv").open("wb") as rows:
            subprocess.run(["sqlite3", "-csv", database, "SELECT * FROM events"], stdout=rows, check=True)
        began = time.monotonic()
        subprocess.run(["sqlite3", place / "copy.db", "PRAGMA synchronous=FULL",
                        f'.import --csv "{place}/rows.csv" events'], stdout=subprocess.DEVNULL, check=True)
        return time.monotonic() - began
    finally:
        shutil.rmtree(place)


ROWS = {
    "accepted": Row("a single event, `accepted`, memory, null sink, 64 connections", "≤ 1.20 ×", "1.12 ×", accepted),
    "journaled": Row("a single event, `journaled`, null sink, 256 connections", "≤ 1.45 ×", "1.30 ×", journaled),
    "default": Row(
        "a single event, default configuration (journal, SQLite), 256 connections",
        "≤ 2.2 ×", "1.8 ×", default),
    "key": Row(
        "a key checked, and CloudEvents' binary mode: added to `accepted`",
        "≤ 0.10 ×", "0.05 ×", key_and_cloudevent),
    "tail": Row("one [live tail](live.md) that is read: added to `accepted`", "", "", tail),
    "array": Row(
        "JSON array of 100, `journaled`, null sink, 64 connections: an event",
        "≤ 0.30 µs", "0.18 µs", array),
    "ndjson": Row(
        "NDJSON of 1000, `journaled`, null sink, 64 connections: an event",
        "≤ 0.28 µs", "0.16 µs", ndjson),
    "pipelined": Row("16 requests pipelined: requests/s over nginx's", "≥ 4 ×", "10 ×", pipelined),
    "open-loop": Row(
        "fixed rate, half of what `accepted` takes: p99 over the floor's",
        "≤ 1.5 ×", "1.1 ×", open_loop),
    "idle-connection": Row("resident memory of an idle connection", "≤ 1.6 KB", "0.8 KB", idle_connection),
    "idle-daemon": Row("resident memory, idle, default configuration", "≤ 14 MiB", "11 MiB", idle_daemon),
    "start": Row("from exec to listening, default configuration, no journal yet", "≤ 20 ms", "12 ms", start),
    "system-calls": Row("system calls a request, lock-step client of 64 connections", "≤ 3.1", "3", system_calls),
    "allocations": Row("heap allocations a request, lock-step client of 64 connections", "0", "0", allocations),
    "connections": Row(
        "10,000 active connections: requests/s over those with 64",
        "≥ 0.7 ×", "0.85 ×", many_connections),
    "threads": Row(
        "two I/O threads on two processors: processor time a request over that of one",
        "≤ 1.1 ×", "1.0 ×", two_threads),
    "drain": Row(
        "a drain of what is pending into SQLite: rows/s over those of `sqlite3 .import`",
        "≥ 0.8 ×", "1.0 ×", drain),
}
