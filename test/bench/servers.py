"""The servers that trackd is measured beside: each has what a Daemon of test/support has, `pid`, `ingest` and `kill`.

All answer 201 to a POST on 127.0.0.1, and run until they are killed. One whose program is not there raises Missing.
"""
import pathlib
import shutil
import subprocess
import tempfile
import unittest

from support import nginx
from support.ports import free_port
from support.raw_http import Connection
from support.trackd import wait_until

PEERS = pathlib.Path(__file__).parent / "peers"


class Missing(Exception):
    """Why one cannot be measured here."""


class Server:
    """Runs a program in a directory of its own, which is gone when it ends."""

    def __init__(self, command, wrapper, directory=None, port=None):
        self.directory = pathlib.Path(directory or tempfile.mkdtemp(prefix="trackd-bench-"))
        self.process = subprocess.Popen(
            [*wrapper, *command], cwd=self.directory, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.pid = self.process.pid
        try:
            # One that was given no port prints the one that it has found.
            self.ingest = ("127.0.0.1", port or int(self.process.stdout.readline()))
            wait_until(self._answers, f"{command[0]} answers")
        except BaseException:
            self.kill()
            raise

    def _answers(self):
        if self.process.poll() is not None:
            raise AssertionError(f"it ended with status {self.process.returncode}")
        try:
            with Connection(self.ingest) as connection:
                return connection.request("POST", "/events", "{}", Content_Type="application/json").status == 201
        except OSError:  # it does not listen yet
            return False

    def kill(self):
        self.process.kill()
        self.process.communicate()
        shutil.rmtree(self.directory, ignore_errors=True)


class Floor(Server):
    """Does nothing but answer."""

    def __init__(self, tree, wrapper=(), threads=1):
        super().__init__([(tree / "test" / "bench" / "floor_server").resolve(), str(threads)], wrapper)


class Beast(Server):
    """As Boost.Beast's examples do it; a thread writes each event into a file, after the answer."""

    def __init__(self, tree, wrapper=()):
        super().__init__([(tree / "test" / "bench" / "beast_example").resolve(), "events.log"], wrapper)


class Go(Server):
    """As one does it in Go; a goroutine writes each event into a file, after the answer."""

    def __init__(self, tree, wrapper=()):
        program = tree / "test" / "bench" / "go_tracker"
        if not program.exists():
            raise Missing("no Go compiler: scripts/install-deps bench")
        super().__init__([program.resolve(), "events.log"], wrapper)

    @staticmethod
    def build(tree):
        if shutil.which("go"):
            subprocess.run(["go", "build", "-o", (tree / "test" / "bench" / "go_tracker").resolve(),
                            PEERS / "go_tracker.go"], check=True)


class Nginx(Server):
    """Throws the body away, and keeps a line in its access log, which is buffered."""

    CONFIGURATION = nginx.configuration("""\
    access_log access.log combined buffer=64k flush=1s;
    keepalive_requests 1000000000;
    client_max_body_size 0;
    server {
        listen 127.0.0.1:PORT backlog=4096;
        location / {
            return 201;
        }
    }
""")

    def __init__(self, tree, wrapper=()):
        del tree
        try:
            program = nginx.program()
        except unittest.SkipTest as why:
            raise Missing("nginx is not installed: scripts/install-deps bench") from why
        port, directory = free_port(), pathlib.Path(tempfile.mkdtemp(prefix="trackd-bench-"))
        (directory / "nginx.conf").write_text(self.CONFIGURATION.replace("PORT", str(port)))
        super().__init__([program, "-p", ".", "-e", "stderr", "-c", "nginx.conf"], wrapper, directory, port)


class FluentBit(Server):
    """Its http input and its file output."""

    def __init__(self, tree, wrapper=()):
        del tree
        program = shutil.which("fluent-bit", path="/opt/fluent-bit/bin:/usr/local/bin:/usr/bin")
        if not program:
            raise Missing("fluent-bit is not installed, and is not in Debian")
        port = free_port()
        super().__init__([program, "-q", "-f", "1", "-i", "http", "-p", "listen=127.0.0.1", "-p", f"port={port}",
                          "-o", "file", "-p", "file=events", "-m", "*"], wrapper, port=port)


PEERS_BY_NAME = {"nginx": Nginx, "Beast": Beast, "Go": Go, "Fluent Bit": FluentBit}
