#!/usr/bin/env python3
"""How fast the postgres sink stores rows, beside `psql \\copy` of the same rows into the same table.

    test/bench/postgres_bench.py BUILD_TREE [--rows 400000] [--rounds 5]

Both write into a server of their own on this machine, which syncs its disk, in turn; the table and its index are empty
each time. The sink commits every 2000 rows, as its delivery makes it, psql once. Printed as Markdown, medians over the
rounds: wall-clock time, and processor time of the client and of the server. What it takes the sink's program to make
the rows, some 0.3 us each, is not taken off.
"""
import argparse
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from support.postgres import Postgres  # noqa: E402

COLUMNS = "id, source, type, time, received_at, subject, datacontenttype, data, extensions"


def server_seconds(server):
    """Of all processes that the server has and had, in user and system time."""
    ticks = 0
    for number, pid in enumerate(server.pids()):
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += sum(map(int, fields[11:15] if number == 0 else fields[11:13]))
    return ticks / os.sysconf("SC_CLK_TCK")


def client_seconds():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def measure(server, command, rows):
    """Microseconds a row: wall-clock, the client's and the server's."""
    server.execute("CHECKPOINT")
    began, client, served = time.monotonic(), client_seconds(), server_seconds(server)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    took = time.monotonic() - began, client_seconds() - client, server_seconds(server) - served
    return [seconds * 1e6 / rows for seconds in took]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build_tree", type=pathlib.Path)
    parser.add_argument("--rows", type=int, default=400_000)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    program = given.build_tree / "test" / "bench" / "postgres_bench"
    server = Postgres()
    try:
        server.run("fsync=on", "shared_buffers=128MB")
        csv = server.directory / "rows.csv"
        with csv.open("wb") as file:
            subprocess.run([program, str(given.rows)], check=True, stdout=file)
        commands = {
            "postgres sink": [program, str(given.rows), server.conninfo()],
            "psql \\copy": [server.programs / "psql", "-X", "-q", "-d", server.conninfo(),
                            "-c", f"\\copy events ({COLUMNS}) FROM '{csv}' CSV"],
        }
        subprocess.run([program, "1", server.conninfo()], check=True)  # makes the table
        figures = {name: [] for name in commands}
        for _ in range(given.rounds):
            for name, command in commands.items():
                server.execute("TRUNCATE events")
                figures[name].append(measure(server, command, given.rows))
    finally:
        server.remove()
    medians = {name: [statistics.median(column) for column in zip(*each)] for name, each in figures.items()}
    print("| | rows/s | us/row | client's CPU us/row | server's CPU us/row |\n|---|--:|--:|--:|--:|")
    for name, (wall, client, served) in medians.items():
        print(f"| {name} | {1e6 / wall:,.0f} | {wall:.2f} | {client:.2f} | {served:.2f} |")
    ratio = medians["postgres sink"][0] / medians["psql \\copy"][0]
    print(f"\nsink / copy: {ratio:.2f} of the wall-clock time")


if __name__ == "__main__":
    main()
