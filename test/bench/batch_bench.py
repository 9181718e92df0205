#!/usr/bin/env python3
"""What an event costs when many travel in one request, with a 201 that means on disk, and what Kafka adds.

    test/bench/batch_bench.py BUILD_TREE [--rounds 3] [--seconds 5] [--connections 64]

The server runs on one processor with one I/O thread, wrk (and the broker) on another. Each event has 69 bytes of JSON.
Printed as Markdown, medians over interleaved rounds: events a second as wrk sees them, and processor time an event, of all
threads of the server's process, until everything is delivered.
"""
import argparse
import os
import pathlib
import statistics
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from bench.measuring import on_processor, processor_seconds, wait_until_idle  # noqa: E402
from support.kafka import Broker  # noqa: E402
from support.load import Wrk  # noqa: E402
from support.trackd import Daemon  # noqa: E402

SIZES = (1, 10, 100, 1000)
SETTINGS = {"http.threads": 1, "shutdown.drain_timeout": "10m", "journal.segment_bytes": None, "journal.min_free_bytes": None,
            "http.max_bodies_bytes": "1GiB"}


def one_round(sink, size, arguments):
    server = Daemon({**SETTINGS, "sinks": sink}, wrapper=on_processor(0))
    try:
        before = wait_until_idle(server.pid)
        wrk = Wrk(server.ingest, arguments.connections, arguments.seconds, events=size, wrapper=on_processor(1))
        try:
            result = wrk.result()
        finally:
            wrk.kill()
        if result["others"] or not result["created"]:
            sys.exit(f"not all answers are 201; this round says nothing: {result}")
        server.wait_until_delivered(600)
        used = processor_seconds(server.pid) - before
        server.stop(patience=600)
        events = result["created"] * size
        return events / result["seconds"], used / events * 1e6
    finally:
        server.kill()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tree", type=pathlib.Path, help="a build tree, such as build/release")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=5, help="of load in each round")
    parser.add_argument("--connections", type=int, default=64)
    arguments = parser.parse_args()
    os.environ["TRACKD"] = str(arguments.tree / "src" / "trackd")
    sinks = {"null": '[{name="null",kind="null"}]'}
    broker = None
    try:
        broker = Broker()
        sinks["kafka"] = f'[{{name="kafka",kind="kafka",brokers="{broker.address}",batch_events=10000,timeout="1m"}}]'
    except unittest.SkipTest as why:
        print(f"without Kafka: {why}", file=sys.stderr)
    try:
        print("| sink | events a request | events/s | CPU µs/event |\n|---|---:|---:|---:|", flush=True)
        seen = {(name, size): [] for name in sinks for size in SIZES}
        for _ in range(arguments.rounds):
            for name, size in seen:
                seen[name, size].append(one_round(sinks[name], size, arguments))
        for (name, size), figures in seen.items():
            rate, cost = (statistics.median(column) for column in zip(*figures))
            print(f"| `{name}` | {size:,} | {rate:,.0f} | {cost:.2f} |")
    finally:
        if broker:
            broker.close()


if __name__ == "__main__":
    main()
