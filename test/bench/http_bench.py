#!/usr/bin/env python3
"""How fast the http sink POSTs rows, beside one curl that POSTs the same bodies from files.

    test/bench/http_bench.py BUILD_TREE [--rows 400000] [--rounds 5]

Both send 2000 rows a request over one connection to an nginx of their own on this machine, which reads and forgets
them, in turn. Printed as Markdown, medians over the rounds: wall-clock time and the client's processor time.
"""
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

import sink_measuring

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


def wait_for(url):
    while subprocess.run(["curl", "-s", "-o", "/dev/null", "--noproxy", "*", url], check=False).returncode != 0:
        time.sleep(0.05)


def main():
    given = sink_measuring.arguments(__doc__)
    program = (given.build_tree / "test" / "bench" / "http_bench").resolve()
    place, port = pathlib.Path(tempfile.mkdtemp(prefix="trackd-http-bench-")), free_port()
    url = f"http://127.0.0.1:{port}/events"
    (place / "configuration").write_text(NGINX.replace("PORT", str(port)))
    server = subprocess.Popen([nginx.program(), "-p", ".", "-c",
                              "configuration"], cwd=place, stderr=subprocess.DEVNULL)
    try:
        wait_for(url)
        size = write_bodies(program, given.rows, place, url)
        sink = [program, str(given.rows), url]
        curl = ["curl", "--noproxy", "*", "--config", place / "requests"]
        medians = sink_measuring.in_turn(given.rounds, {
            "http sink": lambda: sink_measuring.of_sink(sink, given.rows),
            "http sink, gzip": lambda: sink_measuring.of_sink([*sink, "gzip"], given.rows),
            "http sink, zstd": lambda: sink_measuring.of_sink([*sink, "zstd"], given.rows),
            "curl --data-binary": lambda: sink_measuring.of_tool(curl, given.rows),
        })
    finally:
        server.kill()
        server.wait()
        shutil.rmtree(place, ignore_errors=True)
    print(f"{size:.0f} bytes a row\n")
    sink_measuring.print_table(medians)


if __name__ == "__main__":
    main()
