"""A PostgreSQL server of its own for a test: on a temporary directory and a free port, for this machine alone.

    server = Postgres.start(self)           # a unittest.TestCase; the server is gone after the test
    daemon = self.start({"sinks": server.sink()})
    server.rows("SELECT id FROM events")

It runs as the user postgres where the test runs as root, which the server refuses to be.
"""
import copy
import glob
import itertools
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import unittest

from support import trackd
from support.ports import free_port
from support.trackd import PATIENCE, wait_until


def programs():
    """The directory of initdb, postgres and psql."""
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"), key=lambda path: int(path.split("/")[4]))
    found = found[-1] if found else shutil.which("initdb")  # Debian keeps its versions beside each other
    if not found:
        raise unittest.SkipTest("the PostgreSQL server is not installed: there is no initdb")
    return pathlib.Path(found).resolve().parent


def require():
    """Skips the tests that follow, if the build has no postgres sink or the machine no server."""
    if "postgres" not in trackd.run("--version").stdout:
        raise unittest.SkipTest("this build has no postgres sink")
    programs()


class SharedServer:
    """Of a test class, beside trackd.TestCase: its tests share one server, `self.shared`, each with a database of its own."""

    @classmethod
    def setUpClass(cls):
        require()
        cls.shared = Postgres()
        cls.addClassCleanup(cls.shared.remove)
        cls.shared.run()


class Postgres:
    def __init__(self):
        self.database = "postgres"  # that all the rest is about
        self._numbers = itertools.count(1)
        self.programs = programs()
        self.owner = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="trackd-postgres-"))
        if self.owner:
            shutil.chown(self.directory, "postgres", "postgres")
        self.port = free_port()
        self.process = None
        self._run("initdb", "-D", self.directory / "data", "-U", "postgres", "-A", "trust", "-E", "UTF8",
                  "--locale=C", "--no-sync")

    @classmethod
    def start(cls, case, *settings):
        server = cls()
        case.addCleanup(server.remove)
        server.run(*settings)
        return server

    def new_database(self):
        """The same server, but all is about a new, empty database."""
        other = copy.copy(self)
        other.database = f"test_{next(self._numbers)}"
        self.execute(f"CREATE DATABASE {other.database}")
        return other

    def _run(self, program, *arguments):
        subprocess.run([self.programs / program, *arguments], check=True, capture_output=True, timeout=PATIENCE,
                       cwd=self.directory, **self.owner)

    def run(self, *settings):
        """Starts it, and waits until it answers. `settings` are `name=value`."""
        arguments = [word for setting in settings for word in ("-c", setting)]
        with open(self.directory / "log", "ab") as log:
            self.process = subprocess.Popen(
                [self.programs / "postgres", "-D", self.directory / "data", "-p", str(self.port), "-k",
                 self.directory, "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off", "-c", "shared_buffers=32MB",
                 *arguments],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.directory, **self.owner)
        wait_until(lambda: self.process.poll() is not None or self.answers(), "the PostgreSQL server answers")
        if self.process.poll() is not None:
            raise AssertionError("the PostgreSQL server ended:\n" + (self.directory / "log").read_text()[-2000:])

    def answers(self):
        return self._psql("SELECT 1", check=False).returncode == 0

    def _psql(self, sql, check=True):
        done = subprocess.run(
            [self.programs / "psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d",
             self.conninfo(), "-c", sql],
            capture_output=True, text=True, timeout=PATIENCE)
        if check and done.returncode != 0:
            raise AssertionError(f"{sql}\n{done.stderr}")
        return done

    def execute(self, sql):
        return self._psql(sql).stdout

    def rows(self, sql):
        """What the query gives, each row as a dict of JSON's types."""
        text = self.execute(f"SELECT coalesce(json_agg(each), '[]') FROM ({sql}) AS each")
        return json.loads(text)

    def count(self, table="events"):
        return self.rows(f"SELECT count(*) AS n FROM {table}")[0]["n"]

    def ids(self):
        return self.execute("SELECT id FROM events").split()

    def conninfo(self, database=None, user="postgres", port=None):
        return f"host=127.0.0.1 port={port or self.port} dbname={database or self.database} user={user}"

    def sink(self, port=None, connection=None, **options):
        """The array of one sink, named postgres, that writes here; `port` is that of a proxy."""
        table = {"name": "postgres", "kind": "postgres", "connection": connection or self.conninfo(port=port),
                 "create_table": True, **options}
        return "[{" + ", ".join(f"{key} = {json.dumps(value)}" for key, value in table.items()) + "}]"

    # --- its ends

    def pids(self):
        """The server's processes, the first one first."""
        path = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [self.process.pid, *map(int, path.read_text().split())]

    def _signal(self, pids, number):
        for pid in pids:
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass

    def crash(self):
        """SIGKILL for all of it. Then `run` starts it again, with what it had committed."""
        if self.process is None or self.process.poll() is not None:
            return
        self._signal([self.process.pid], signal.SIGSTOP)  # so that it gets no new children
        pids = self.pids()
        self._signal(pids, signal.SIGKILL)
        self.process.wait()
        wait_until(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in pids), "the server's processes are gone")

    def stop(self):
        """An end in order: who is connected is sent away."""
        self.process.send_signal(signal.SIGINT)
        self.process.wait(PATIENCE)

    def pause(self):
        """Keeps the connections, and does not answer any more."""
        self._signal(self.pids(), signal.SIGSTOP)

    def resume(self):
        self._signal(self.pids(), signal.SIGCONT)

    def remove(self):
        self.crash()
        shutil.rmtree(self.directory, ignore_errors=True)
