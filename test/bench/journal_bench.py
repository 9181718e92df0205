#!/usr/bin/env python3
"""What it costs to have a 201 mean that the event is on disk.

    test/bench/journal_bench.py BUILD_TREE [--rounds 3] [--seconds 3] [--connections 1,16,64,256] [--directory DIR]

Four servers take the same small events from wrk, in interleaved rounds, so that the machine's moods meet all alike:

    floor              test/bench/floor_server.cpp: one recv and one send a request, and nothing else
    memory             ack = "accepted", backlog in memory, sink null
    journal, accepted  ack = "accepted", backlog in the journal, sink null
    journaled          ack = "journaled", the same: the 201 waits for the disk

The server runs on one processor and wrk on another. Printed as Markdown, medians over the rounds: requests a second and
latencies as wrk sees them, and processor time a request, of all threads of the server's process, until it has rested
after the load. What the disk itself takes is measured between the rounds: 4 KiB written and fdatasync'ed, into blocks
that were written before, in the directory that the journals are in.
"""
import argparse
import os
import pathlib
import statistics
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from bench.measuring import Disk, file_system, on_processor, wait_until_idle  # noqa: E402
from bench.servers import Floor  # noqa: E402
from support.load import Wrk  # noqa: E402
from support.trackd import Daemon  # noqa: E402

NULL = {"sinks": '[{name="null",kind="null"}]', "shutdown.drain_timeout": "1m", "http.threads": 1,
        "journal.segment_bytes": None, "journal.min_free_bytes": None}
SERVERS = {
    "floor": None,
    "memory": {**NULL, "tracker.ack": "accepted", "backlog.kind": "memory"},
    "journal, accepted": {**NULL, "tracker.ack": "accepted", "backlog.kind": "journal"},
    "journaled": {**NULL, "tracker.ack": "journaled", "backlog.kind": "journal"},
}

def one_round(name, connections, arguments):
    settings = SERVERS[name]
    if settings is None:
        server = Floor(arguments.tree, on_processor(arguments.server))
    else:
        server = Daemon(settings, wrapper=on_processor(arguments.server))
    try:
        before = wait_until_idle(server.pid)
        wrk = Wrk(server.ingest, connections, arguments.seconds, wrapper=on_processor(arguments.client))
        try:
            result = wrk.result()
        finally:
            wrk.kill()
        used = wait_until_idle(server.pid) - before
        if result["others"] or not result["created"]:
            sys.exit(f"{name}: not all answers are 201; this round says nothing: {result}")
        if settings is not None:
            journal = server.status().get("journal") or {}
            result["commits"] = journal.get("commits", 0)
            server.signal()
            if server.process.wait(120) != 0:
                sys.exit(f"{name}: events were lost; this round says nothing:\n{server.log.tail()}")
        return {
            "rate": result["created"] / result["seconds"], "cpu": used / result["created"] * 1e6,
            "p50": result["p50"], "p99": result["p99"],
            "batch": result["created"] / result["commits"] if result.get("commits") else 0,
        }
    finally:
        server.kill()


def print_table(connections, rounds):
    def median(name, figure):
        return statistics.median(one[figure] for one in rounds[name])

    floor = median("floor", "cpu")
    for name in SERVERS:
        batch = median(name, "batch")
        print(f"| {connections} | {name} | {median(name, 'rate'):,.0f} | {median(name, 'cpu'):.2f} | "
              f"{median(name, 'cpu') / floor:.2f} | {median(name, 'p50'):,.0f} | {median(name, 'p99'):,.0f} | "
              f"{f'{batch:.1f}' if batch else ''} |", flush=True)


def read_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tree", type=pathlib.Path, help="a build tree, such as build/release")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=3, help="of load in each round")
    parser.add_argument("--connections", default="1,16,64,256")
    parser.add_argument("--directory", default=None, help="where the journals are; the system's place for such files")
    parser.add_argument("--server", type=int, default=0, help="the server's processor")
    parser.add_argument("--client", type=int, default=1, help="wrk's")
    arguments = parser.parse_args()
    os.environ["TRACKD"] = str(arguments.tree / "src" / "trackd")
    tempfile.tempdir = arguments.directory or tempfile.gettempdir()
    return arguments


def main():
    arguments = read_arguments()
    disk = Disk(tempfile.tempdir)
    print(f"{arguments.rounds} rounds of {arguments.seconds} s; journals on {file_system(tempfile.tempdir)}\n")
    print("| connections | server | requests/s | CPU µs/request | of floor | p50 µs | p99 µs | requests a commit |")
    print("|---:|---|---:|---:|---:|---:|---:|---:|", flush=True)
    for connections in map(int, arguments.connections.split(",")):
        rounds = {name: [] for name in SERVERS}
        for _ in range(arguments.rounds):
            for name, seen in rounds.items():
                seen.append(one_round(name, connections, arguments))
            disk.measure()
        print_table(connections, rounds)
    print(f"\nthe disk, one 4 KiB block and its fdatasync: {disk.line()}")


if __name__ == "__main__":
    main()
