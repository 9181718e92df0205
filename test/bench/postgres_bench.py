#!/usr/bin/env python3
"""How fast the postgres sink stores rows, beside `psql \\copy` of the same rows into the same table.

    test/bench/postgres_bench.py BUILD_TREE [--rows 400000] [--rounds 5]

Both write into a server of their own on this machine, which syncs its disk, in turn; the table and its index are empty
each time. The sink commits every 2000 rows, as its delivery makes it, psql once. Printed as Markdown, medians over the
rounds: wall-clock time, and processor time of the client and of the server.
"""
import os
import pathlib
import subprocess
import sys

import sink_measuring

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


def measure(server, how, command, rows):
    """Microseconds a row: wall-clock, the client's and the server's."""
    server.execute("TRUNCATE events")
    server.execute("CHECKPOINT")
    served = server_seconds(server)
    return [*how(command, rows), (server_seconds(server) - served) * 1e6 / rows]


def main():
    given = sink_measuring.arguments(__doc__)
    program = given.build_tree / "test" / "bench" / "postgres_bench"
    server = Postgres()
    try:
        server.run("fsync=on", "shared_buffers=128MB")
        csv = server.directory / "rows.csv"
        with csv.open("wb") as file:
            subprocess.run([program, str(given.rows)], check=True, stdout=file)
        sink = [program, str(given.rows), server.conninfo()]
        copy = [server.programs / "psql", "-X", "-q", "-d", server.conninfo(),
                "-c", f"\\copy events ({COLUMNS}) FROM '{csv}' CSV"]
        sink_measuring.of_sink([program, "1", server.conninfo()], 1)  # makes the table
        medians = sink_measuring.in_turn(given.rounds, {
            "postgres sink": lambda: measure(server, sink_measuring.of_sink, sink, given.rows),
            "psql \\copy": lambda: measure(server, sink_measuring.of_tool, copy, given.rows),
        })
    finally:
        server.remove()
    sink_measuring.print_table(medians, "server's CPU us/row")


if __name__ == "__main__":
    main()
