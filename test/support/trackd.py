"""Runs the real daemon for a test: a directory of its own, free ports, its log, its books, its end, its next start.

    class Example(trackd.TestCase):
        def test_one_event(self):
            daemon = self.start({"tracker.ack": "delivered"})
            self.assertEqual(daemon.post({"hello": "world"}).status, 201)
            self.assertEqual(daemon.stop().accepted, 1)

The binary is named by the environment variable TRACKD. Nothing here sleeps for a fixed time: everything waits for
an event, and gives up after PATIENCE seconds, which only a hang should ever reach.
"""
import collections
import json
import os
import pathlib
import re
import shutil
import sqlite3
import subprocess
import tempfile
import threading
import time
import unittest
from signal import SIGKILL, SIGTERM

from support import tls
from support.raw_http import Connection

PATIENCE = float(os.environ.get("TRACKD_PATIENCE", "90"))
SANITIZER = os.environ.get("TRACKD_SANITIZER", "")
ROOT = pathlib.Path(__file__).resolve().parents[2]

# A small journal: what the tests want where they do not say otherwise. None as a value is trackd's own default.
QUICK = {"journal.segment_bytes": "4MiB", "journal.min_free_bytes": 0}
# For tests about a backlog that is gone with the process.
MEMORY = {"backlog.kind": "memory", "tracker.ack": "accepted"}

Summary = collections.namedtuple("Summary", "reason accepted delivered pending dead_lettered lost took damaged")
SUMMARY = re.compile(
    r"shutdown complete reason=(?P<reason>.+) accepted=(?P<accepted>\d+) delivered=(?P<delivered>\d+)"
    r" pending=(?P<pending>\d+) dead_lettered=(?P<dead_lettered>\d+)(?: damaged=(?P<damaged>\d+))?"
    r" lost=(?P<lost>\d+) took=(?P<took>[0-9.]+)s$"
)


def binary():
    path = os.environ.get("TRACKD")
    if not path or not os.access(path, os.X_OK):
        raise AssertionError(f"set the environment variable TRACKD to the trackd binary; it is {path!r}")
    return os.path.abspath(path)


def wait_until(condition, what, patience=PATIENCE):
    """Asks until the condition gives something true, and returns that."""
    deadline, pause = time.monotonic() + patience, 0.001
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"after {patience:g} s still waiting for: {what}")
        time.sleep(pause)
        pause = min(2 * pause, 0.05)
    return value


def run(*arguments, environment=None, **options):
    """Runs one of trackd's short commands to its end."""
    return subprocess.run(
        [binary(), *map(str, arguments)], capture_output=True, text=True, timeout=PATIENCE,
        env={**clean_environment(), **(environment or {})}, **options,
    )


def clean_environment():
    """The environment without settings of trackd, which somebody may have exported."""
    return {name: value for name, value in os.environ.items() if not name.startswith("TRACKD")}


def text_of(path):
    """What a file of the file sink holds, packed or not."""
    if path.suffix != ".zst":
        return path.read_text()
    return subprocess.run(["zstd", "-dc", path], capture_output=True, text=True, check=True).stdout


def lines(directory, pattern="events*.jsonl*"):
    """What a file sink has written there, line by line: its closed files, whose names sort before the one in use."""
    for path in sorted(directory.glob(pattern)):
        yield from text_of(path).splitlines(keepends=True)


class Log:
    """The JSON lines on the daemon's standard error, read as they come."""

    def __init__(self, stream):
        self.entries = []  # parsed lines
        self.noise = []  # lines that are no JSON object: a sanitizer's report, an uncaught exception
        self.reading = threading.Event()  # cleared: the lines stay in the pipe, which fills up
        self.reading.set()
        self._ended = False
        self._news = threading.Condition()
        self._reader = threading.Thread(target=self._read, args=(stream,), daemon=True)
        self._reader.start()

    def _read(self, stream):
        with stream:
            for line in stream:
                self.reading.wait()
                try:
                    entry = json.loads(line)
                    entry["message"]
                except (ValueError, TypeError, KeyError):
                    entry = None
                with self._news:
                    (self.noise if entry is None else self.entries).append(line if entry is None else entry)
                    self._news.notify_all()
        with self._news:
            self._ended = True
            self._news.notify_all()

    def find(self, pattern):
        """The first message in which the pattern is found, as a match."""
        return next(filter(None, (re.search(pattern, entry["message"]) for entry in list(self.entries))), None)

    def wait_for(self, pattern, patience=PATIENCE):
        """The same, once it is there."""
        searched, deadline = 0, time.monotonic() + patience
        with self._news:
            while True:
                for entry in self.entries[searched:]:
                    if match := re.search(pattern, entry["message"]):
                        return match
                searched = len(self.entries)
                left = deadline - time.monotonic()
                if self._ended or left <= 0:
                    why = "the daemon ended" if self._ended else f"{patience:g} s passed"
                    raise AssertionError(f"{why} without the log line {pattern!r}; its last lines:\n{self.tail()}")
                self._news.wait(left)

    def tail(self, count=15):
        return "\n".join([entry["message"] for entry in self.entries[-count:]] + self.noise[-40:])

    def join(self):
        self._reader.join(PATIENCE)


class Daemon:
    """One trackd. `settings` are configuration keys and values, as `--set` takes them.

    Where `directory` is given, it is that of an earlier one: its journal and its database are there, and it stays
    when this one ends. `file` is what its configuration file says. With `wait=False` the start is not waited for: `wait_until_running`, `refusal` or `crash` come
    next.
    """

    def __init__(self, settings=None, environment=None, wrapper=(), directory=None, wait=True, pass_fds=(),
                 file="# all by --set\n"):
        self.directory = pathlib.Path(directory or tempfile.mkdtemp(prefix="trackd-test-"))
        self._owns_directory = directory is None
        self.file = self.directory / "trackd.toml"
        self.file.write_text(file)
        self.settings = {
            "http.listen": "127.0.0.1:0", "admin.listen": "127.0.0.1:0", "log.format": "json",
            "data_dir": str(self.directory / "data"), **QUICK, **(settings or {}),
        }
        self.process = subprocess.Popen(
            [*wrapper, binary(), "serve", *self.configuration()], cwd=self.directory, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors="replace",
            env={**clean_environment(), **(environment or {})}, pass_fds=pass_fds,
        )
        self.pid = self.process.pid  # of the daemon itself: the wrapper's user may set it
        self.log = Log(self.process.stderr)
        if wait:
            try:
                self.wait_until_running()
            except BaseException:
                self.kill()
                raise

    def configuration(self):
        """The arguments that make any of trackd's commands see what this one sees."""
        arguments = ["--config", str(self.file)]
        for key, value in self.settings.items():
            if value is not None:
                arguments += ["--set", f"{key}={value}"]
        return arguments

    def wait_until_running(self):
        self.log.wait_for(r"^running\b")
        self.tls = tls.client(self.settings.get("http.tls.certificate"))
        self.admin_tls = tls.client(self.settings.get("admin.tls.certificate"))
        self.ingest_addresses = self._addresses("ingest")
        self.ingest = self.ingest_addresses[0]
        self.admin = self._addresses("admin")[0]

    def _addresses(self, listener):
        pattern = listener + r" listening on (?:unix:(?P<path>.+?)|(?P<host>.+):(?P<port>\d+))(?: with TLS)?$"
        found = (re.match(pattern, entry["message"]) for entry in self.log.entries)
        addresses = [match["path"] or (match["host"].strip("[]"), int(match["port"])) for match in found if match]
        if not addresses:
            raise AssertionError(f"no log line says where the {listener} listener listens:\n{self.log.tail()}")
        return addresses

    # --- talking to it

    def connect(self):
        return Connection(self.ingest, tls=self.tls)

    def request(self, method, path, body=b"", **headers):
        """One request on a connection of its own."""
        with self.connect() as connection:
            return connection.request(method, path, body, **headers)

    def post(self, event, path="/events", content_type="application/json", **headers):
        """Posts bytes or text as they are, and anything else as JSON."""
        body = event if isinstance(event, (bytes, str)) else json.dumps(event, separators=(",", ":"))
        return self.request("POST", path, body, Content_Type=content_type, **headers)

    def ask(self, path, method="GET", body=b"", **headers):
        """One request on the admin listener, with its token where the settings have one."""
        if token := self.settings.get("admin.token"):
            headers.setdefault("Authorization", f"Bearer {token}")
        with Connection(self.admin, tls=self.admin_tls) as connection:
            return connection.request(method, path, body, **headers)

    def status(self):
        return self.ask("/status").json()

    def sink(self, name):
        return next(sink for sink in self.status()["sinks"] if sink["name"] == name)

    def journal_status(self):
        return self.status()["journal"]

    def tasks(self):
        return self.ask("/debug/tasks").json()

    def wait_until_delivered(self, patience=PATIENCE):
        """Until every sink has everything."""
        wait_until(lambda: all(sink["pending"] == 0 for sink in self.status()["sinks"]), "all delivered", patience)

    # --- looking at what it leaves behind

    @property
    def database(self):
        return self.directory / "data" / "events.db"

    @property
    def journal(self):
        return self.directory / "data" / "journal"

    def segments(self):
        """The journal's segments, oldest first."""
        return sorted(self.journal.glob("*.segment"))

    def tool(self, *command, **options):
        """Runs `trackd journal ...` with this one's configuration."""
        return run("journal", *command, *self.configuration(), cwd=self.directory, **options)

    def letters(self, *command):
        return self.command("dead-letters", *command)

    def command(self, *command):
        """Runs one that asks the daemon, and is told where this one really listens."""
        where = ["--set", f"admin.listen={self.admin[0]}:{self.admin[1]}"]
        return run(*command, *self.configuration(), *where, cwd=self.directory)

    def reload(self):
        """Has it read its configuration again, and returns what it says of it, once all threads have it."""
        return self.ask("/reload", "POST").json()

    def query(self, sql, *parameters):
        connection = sqlite3.connect(self.database, timeout=PATIENCE)
        try:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute(sql, parameters)]
        finally:
            connection.close()

    def count(self):
        return self.query("SELECT count(*) AS n FROM events")[0]["n"]

    def ids(self):
        return [row["id"] for row in self.query("SELECT id FROM events")]

    def rows(self, count):
        """All rows, once there are so many; in the order of their arrival."""
        wait_until(lambda: self.count() >= count, f"{count} rows")
        rows = self.query("SELECT * FROM events ORDER BY received_at, id")
        if len(rows) != count:
            raise AssertionError(f"{len(rows)} rows where {count} were expected: {rows}")
        return rows

    def lock_database(self):
        """Keeps the SQLite sink from writing until the connection that this returns is closed."""
        connection = sqlite3.connect(self.database, timeout=PATIENCE, isolation_level=None, check_same_thread=False)
        connection.execute("BEGIN EXCLUSIVE")
        return connection

    def resident_bytes(self):
        text = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+) kB", text)[1]) * 1024

    def open_files(self, directory=None):
        """How many descriptors it has; with a directory, of files in there."""
        count = 0
        for name in os.listdir(f"/proc/{self.pid}/fd"):
            try:
                target = os.readlink(f"/proc/{self.pid}/fd/{name}")
                count += directory is None or target.startswith(f"{directory}/")
            except FileNotFoundError:  # closed meanwhile
                pass
        return count

    # --- ending it

    def signal(self, number=SIGTERM):
        os.kill(self.pid, number)

    def wait(self, status=0, patience=PATIENCE):
        """Waits for its end, which must come with this exit status, and returns the summary that it logged."""
        try:
            found = self.process.wait(patience)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"it still runs after {patience:g} s:\n{self.log.tail()}") from None
        self.log.join()
        if found != status or self.log.noise:
            raise AssertionError(f"exit status {found}, expected {status}; its last lines:\n{self.log.tail()}")
        match = SUMMARY.match(self.log.entries[-1]["message"]) if self.log.entries else None
        if not match:
            raise AssertionError(f"the last line is no summary:\n{self.log.tail()}")
        found = match.groupdict(default="0")
        counts = {name: int(found[name]) for name in Summary._fields if name not in ("reason", "took")}
        return Summary(reason=found["reason"], took=float(found["took"]), **counts)

    def stop(self, number=SIGTERM, status=0, patience=PATIENCE):
        self.signal(number)
        return self.wait(status, patience)

    def refusal(self, status=2):
        """Waits until it has given up its start with this exit status, and returns what it said."""
        found = self.process.wait(PATIENCE)
        self.log.join()
        said = self.log.tail()
        if found != status or self.log.find(r"^running\b"):
            raise AssertionError(f"exit status {found}, expected {status} before it runs; its last lines:\n{said}")
        return said

    def crash(self):
        """SIGKILL; what it has written stays where it is."""
        if self.process.poll() is None:
            self.signal(SIGKILL)
        self.process.wait()
        self.log.reading.set()
        self.log.join()

    def kill(self):
        """Removes whatever is left of it; for clean-up."""
        self.crash()
        if self._owns_directory:
            shutil.rmtree(self.directory, ignore_errors=True)


class TestCase(unittest.TestCase):
    longMessage = True
    maxDiff = 4000

    def start(self, settings=None, **options):
        daemon = Daemon(settings, **options)
        self.addCleanup(daemon.kill)
        return daemon

    def empty_directory(self):
        """For a daemon that is to find something there when it starts; gone after the test."""
        place = pathlib.Path(tempfile.mkdtemp(prefix="trackd-test-"))
        self.addCleanup(shutil.rmtree, place, ignore_errors=True)
        return place

    def small_disk(self, place, size):
        """A file system of its own for this directory, which is made; the test is skipped where that is not permitted."""
        place.mkdir(parents=True)
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=0700", "trackd-test", place],
                              capture_output=True, text=True)
        if done.returncode != 0:
            self.skipTest(f"no permission to mount a small disk: {done.stderr.strip()}")
        self.addCleanup(subprocess.run, ["umount", "--lazy", place], check=True)

    def restart(self, daemon, settings=None, **options):
        """Starts another one where the daemon has ended, with its settings and these."""
        return self.start({**daemon.settings, **(settings or {})}, directory=daemon.directory, **options)

    def connect(self, daemon):
        connection = daemon.connect()
        self.addCleanup(connection.close)
        return connection

    def post_numbers(self, daemon, first, count, prefix="e", data=None):
        """One request with the events PREFIX-first and so on, whose data is their number, or this."""
        numbers = range(first, first + count)
        body = "\n".join(f'{{"id":"{prefix}-{n}","data":{n if data is None else data}}}' for n in numbers)
        answer = daemon.post(body, content_type="application/x-ndjson")
        self.assertEqual(answer.json(), {"accepted": count})

    def error_of(self, daemon, sink, part):
        """Waits until the sink fails with a text that has this part."""
        def text():
            error = daemon.sink(sink)["last_error"] or ""
            return error if part in error else None
        error = wait_until(text, f"the error {part!r}")
        self.assertNotIn("\n", error)
        return error

    def assert_problem(self, answer, status, *parts):
        """An error as RFC 9457 wants it, whose text names each of the parts."""
        self.assertEqual(answer.status, status, answer)
        self.assertEqual(answer.header("content-type"), "application/problem+json", answer)
        problem = answer.json()
        self.assertEqual(problem["status"], status)
        self.assertTrue(problem["title"] and problem["type"], problem)
        for part in parts:
            self.assertIn(part, problem["detail"])
        return problem["type"].rpartition(":")[2]

    def assert_books_balance(self, status):
        """The promise of every sink's figures, and that they fit the tracker's."""
        for sink in status["sinks"]:
            parts = ("delivered", "pending", "filtered", "dead_lettered", "skipped", "damaged", "lost")
            self.assertEqual(sink["accepted"], sum(sink[part] for part in parts), sink)
            self.assertLessEqual(sink["duplicates"], sink["delivered"], sink)
