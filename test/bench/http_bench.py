#!/usr/bin/env python3
"""How fast the http sink POSTs rows, beside one curl that POSTs the same bodies from files.

    test/bench/http_bench.py BUILD_TREE [--rows 400000] [--rounds 5]

Both send 2000 rows a request over one connection to an nginx of their own on this machine, which reads and forgets
them, in turn. Printed as Markdown, medians over the rounds: wall-clock time and the client's processor time. What it
takes the sink's program to make the rows, some 0.3 us each, is not taken off.
"""
import argparse
import pathlib
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from support import nginx  # noqa: E402
from support.ports import free_port  # noqa: E402

ROWS_A_REQUEST = 2000
NGINX = nginx.configuration("""\
    access_log off;
    keepalive_requests 1000000;
    client_max_body_size 0;
    server {
        listen 127.0.0.1:PORT;
        location / {
            return 204;
        }
    }
""")


def write_bodies(program, rows, place, url):
    """The bodies as files, and a configuration for curl that POSTs one after the other."""
    lines = subprocess.run([program, str(rows)], check=True, capture_output=True).stdout.splitlines(keepends=True)
    requests = []
    for number, first in enumerate(range(0, rows, ROWS_A_REQUEST)):
        path = place / f"body-{number}"
        path.write_bytes(b"".join(lines[first:first + ROWS_A_REQUEST]))
        requests.append(f'url = "{url}"\ndata-binary = "@{path}"\nheader = "Content-Type: application/x-ndjson"\n'
                        "header = \"Expect:\"\nfail\nsilent\n")
    (place / "requests").write_text("next\n".join(requests))
    return len(b"".join(lines)) / rows


def client_seconds():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def measure(command, rows):
    """Microseconds a row: wall-clock, and the client's."""
    began, client = time.monotonic(), client_seconds()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return [seconds * 1e6 / rows for seconds in (time.monotonic() - began, client_seconds() - client)]


def wait_for(url):
    while subprocess.run(["curl", "-s", "-o", "/dev/null", "--noproxy", "*", url], check=False).returncode != 0:
        time.sleep(0.05)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build_tree", type=pathlib.Path)
    parser.add_argument("--rows", type=int, default=400_000)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    program = (given.build_tree / "test" / "bench" / "http_bench").resolve()
    place, port = pathlib.Path(tempfile.mkdtemp(prefix="trackd-http-bench-")), free_port()
    url = f"http://127.0.0.1:{port}/events"
    (place / "configuration").write_text(NGINX.replace("PORT", str(port)))
    server = subprocess.Popen([nginx.program(), "-p", ".", "-c",
                              "configuration"], cwd=place, stderr=subprocess.DEVNULL)
    try:
        wait_for(url)
        size = write_bodies(program, given.rows, place, url)
        commands = {
            "http sink": [program, str(given.rows), url],
            "http sink, gzip": [program, str(given.rows), url, "gzip"],
            "http sink, zstd": [program, str(given.rows), url, "zstd"],
            "curl --data-binary": ["curl", "--noproxy", "*", "--config", place / "requests"],
        }
        figures = {name: [] for name in commands}
        for _ in range(given.rounds):
            for name, command in commands.items():
                figures[name].append(measure(command, given.rows))
    finally:
        server.kill()
        server.wait()
        shutil.rmtree(place, ignore_errors=True)
    medians = {name: [statistics.median(column) for column in zip(*each)] for name, each in figures.items()}
    print(f"{size:.0f} bytes a row\n")
    print("| | rows/s | us/row | client's CPU us/row |\n|---|--:|--:|--:|")
    for name, (wall, client) in medians.items():
        print(f"| {name} | {1e6 / wall:,.0f} | {wall:.2f} | {client:.2f} |")
    print(f"\nsink / curl: {medians['http sink'][0] / medians['curl --data-binary'][0]:.2f} of the wall-clock time")


if __name__ == "__main__":
    main()
