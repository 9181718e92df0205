#!/usr/bin/env python3
"""What a client waits for when its answer waits for the slow write, and when it does not.

    test/bench/incomplete_work.py build/release/src/trackd [--rounds 5] [--seconds 2] [--latency 1ms]

The same daemon, with one sink that takes 1 ms an event, answers with `tracker.ack = "delivered"` (the 201 waits for
the sink) and with `"accepted"` (the 201 is sent at once, and the event is written after it). wrk's connections pause
between requests, so that the sink can keep up: about 670 events a second at most, of the 1000 that it could take.
Rounds are interleaved, so that the machine's moods meet both alike; each ends with SIGTERM, and counts only if every
event that got a 201 was delivered. Printed as Markdown: medians over the rounds, in milliseconds.
"""
import argparse
import os
import pathlib
import statistics
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from support.load import Wrk  # noqa: E402
from support.trackd import Daemon  # noqa: E402

MODES = ("delivered", "accepted")
PAUSE_MS = 1.5  # between two requests, on the average, times the number of connections


def one_round(mode, connections, arguments):
    daemon = Daemon({
        "backlog.kind": "memory", "tracker.ack": mode, "shutdown.drain_timeout": "1m",
        "sinks": f'[{{name="slow",kind="log",level="debug",simulate_latency="{arguments.latency}"}}]',
    })
    try:
        wrk = Wrk(daemon.ingest, connections, arguments.seconds, pause_ms=PAUSE_MS * connections)
        try:
            result = wrk.result()
        finally:
            wrk.kill()
        daemon.signal()
        if daemon.process.wait(120) != 0 or result["others"]:
            sys.exit(f"events were lost or refused; this round says nothing: {result}")
        return result
    finally:
        daemon.kill()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("trackd", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=2)
    parser.add_argument("--latency", default="1ms", help="of the sink, for each event (default 1ms)")
    parser.add_argument("--connections", type=int, nargs="+", default=[1, 16])
    arguments = parser.parse_args()
    os.environ["TRACKD"] = str(arguments.trackd)

    found = {(mode, count): [] for count in arguments.connections for mode in MODES}
    for number in range(arguments.rounds):
        print(f"round {number + 1} of {arguments.rounds}", file=sys.stderr)
        for (mode, count), results in found.items():
            results.append(one_round(mode, count, arguments))

    print("| connections | `tracker.ack` | p50 ms | p99 ms | mean ms | requests/s |")
    print("|--:|---|--:|--:|--:|--:|")
    for (mode, count), results in found.items():
        p50, p99, mean = (statistics.median(one[key] for one in results) / 1000 for key in ("p50", "p99", "mean"))
        rate = statistics.median(one["created"] / one["seconds"] for one in results)
        print(f"| {count} | `{mode}` | {p50:.2f} | {p99:.2f} | {mean:.2f} | {rate:.0f} |")


if __name__ == "__main__":
    main()
