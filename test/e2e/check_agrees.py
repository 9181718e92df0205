"""`trackd check` and the start agree: for each option of each sink and listener, and for what the disk holds.

The tables of support/check_tables.py have a row for each option: an option that is added, and is in no table, fails `Tables`."""
import os
import pathlib
import re
import shutil
import sqlite3
import tempfile
import tomllib
import unittest

from support import tls, trackd
from support.check_tables import (NEEDED, RIGHT, RIGHT_IN_EVERY_SINK, RIGHT_IN_SINKS, WRONG, WRONG_IN_EVERY_SINK,
                                  WRONG_IN_SINKS)


def sink(kind, options="", name="one"):
    return f'[[sinks]]\nname = "{name}"\nkind = "{kind}"\n{options}'


class Agreement(trackd.TestCase):
    def setUp(self):
        self.here = pathlib.Path(tempfile.mkdtemp(prefix="trackd-test-"))
        self.addCleanup(shutil.rmtree, self.here, ignore_errors=True)
        certificate, key = tls.certificate(self.here)
        (self.here / "certificate.pem").write_bytes(pathlib.Path(certificate).read_bytes())
        (self.here / "key.pem").write_bytes(pathlib.Path(key).read_bytes())
        with tempfile.TemporaryDirectory() as other:
            (self.here / "other.pem").write_bytes(pathlib.Path(tls.certificate(pathlib.Path(other))[1]).read_bytes())
        (self.here / "file").write_text("no line of trackd's")
        (self.here / "directory").mkdir()
        (self.here / "dangling").symlink_to(self.here / "missing")
        os.mkfifo(self.here / "pipe")
        self.make_database("foreign.db", "CREATE TABLE mine (x)")
        self.make_database("newer.db", "CREATE TABLE events (x); PRAGMA application_id = 1953655652; PRAGMA user_version = 99")

    def make_database(self, name, script):
        database = sqlite3.connect(self.here / name)
        database.executescript(script)
        database.close()

    def arguments(self, text):
        """Those of any command, with this configuration."""
        file = self.here / "trackd.toml"
        listen = "" if "[http]" in text else '[http]\nlisten = "127.0.0.1:0"\n'
        listen += "" if "[admin]" in text else '[admin]\nlisten = "127.0.0.1:0"\n'
        file.write_text(text.replace("HERE", str(self.here)) + "\n" + listen)
        return ["--config", file, "--set", f"data_dir={self.here / 'data'}", "--set", "journal.min_free_bytes=0"]

    def files(self):
        """And when each was changed, but for the index of a database's log, which readers lock and fill, too."""
        return sorted((str(path), 0 if path.name.endswith("-shm") else path.lstat().st_mtime_ns)
                      for path in self.here.rglob("*"))

    def check(self, text):
        arguments = self.arguments(text)
        before = self.files()
        done = trackd.run("check", *arguments, cwd=self.here)
        self.assertEqual(self.files(), before, "check made or changed something")
        return done

    def refuse(self, text, *parts):
        """Both refuse it, in the same words: a line for each of the parts, if there are any."""
        done = self.check(text)
        start = trackd.run("serve", *self.arguments(text), cwd=self.here)
        self.assertEqual((done.returncode, start.returncode), (2, 2), f"{text}\n{done}\n{start}")
        self.assertEqual(done.stdout, "")
        self.assertEqual(done.stderr, start.stderr)
        if parts:
            self.assertEqual(len(done.stderr.splitlines()), len(parts), done.stderr)
        for line, part in zip(done.stderr.splitlines(), parts):
            self.assertIn(part.replace("HERE", str(self.here)), line)

    def accept(self, text, **options):
        """Neither refuses it."""
        done = self.check(text)
        self.assertEqual((done.returncode, done.stderr), (0, ""), text)
        file = self.here / "trackd.toml"
        daemon = trackd.Daemon({"data_dir": self.here / "data", "http.listen": None, "admin.listen": None, "log.format": None},
                               wait=False, file=file.read_text(), **options)
        self.addCleanup(daemon.kill)
        return daemon


def options_of(text, *path):
    table = tomllib.loads(text)
    for name in path:
        table = table[name]
    return {key for key, value in table.items() if key != "tls"}


class Tables(unittest.TestCase):
    """What is in effect names all options there are."""

    def setUp(self):
        kinds = ", ".join(f'{{name = "{kind}", kind = "{kind}"}}' for kind in WRONG_IN_SINKS)
        done = trackd.run("config", "--set", f"sinks=[{kinds}]")
        self.assertEqual(done.returncode, 0, done)
        self.effective = done.stdout

    def test_each_option_of_the_listeners_and_the_log_is_in_both(self):
        for table, values in WRONG.items():
            with self.subTest(table):
                there = options_of(self.effective, *table.split("."))
                self.assertEqual(set(values), there)
                self.assertEqual(options_of(RIGHT, *table.split(".")), there)

    def test_each_option_of_each_sink_is_in_both(self):
        sinks = tomllib.loads(self.effective)["sinks"]
        right = tomllib.loads(RIGHT_IN_EVERY_SINK)
        for one in sinks:
            with self.subTest(one["kind"]):
                own = WRONG_IN_SINKS[one["kind"]]
                self.assertEqual(set(WRONG_IN_EVERY_SINK) | set(own), set(one))
                given = tomllib.loads(RIGHT_IN_SINKS[one["kind"]])
                self.assertEqual({"name", "kind"} | set(right) | set(given), set(one))

    def test_each_kind_of_sink_is_in_them(self):
        kinds = re.search(r"expected one of (.*)$", trackd.run("check", "--set", "sinks.sqlite.kind=none").stderr).group(1)
        self.assertEqual(set(re.findall(r'"(\w+)"', kinds)), set(WRONG_IN_SINKS))


class Options(Agreement):
    def test_what_stops_a_start_is_found_by_check(self):
        for table, options in WRONG.items():
            for option, values in options.items():
                for value in values:
                    with self.subTest(f"{table}.{option} = {value}"):
                        self.refuse(f"[{table}]\n{option} = {value}\n")

    def test_what_stops_a_sink_is_found_by_check(self):
        for kind, own in WRONG_IN_SINKS.items():
            for option, values in own.items():
                for value in values:
                    with self.subTest(f"{kind}.{option} = {value}"):
                        needed = "" if option == "url" else NEEDED.get(kind, "")
                        self.refuse(sink(kind, f"{needed}{option} = {value}\n"))

    def test_what_stops_any_sink_is_found_by_check(self):
        for option, values in WRONG_IN_EVERY_SINK.items():
            for value in values:
                with self.subTest(f"{option} = {value}"):
                    given = {"name": '"one"', "kind": '"null"', option: value}
                    self.refuse("[[sinks]]\n" + "".join(f"{key} = {text}\n" for key, text in given.items()))

    def test_what_check_finds_good_starts(self):
        for kind, own in RIGHT_IN_SINKS.items():
            with self.subTest(kind):
                daemon = self.accept(sink(kind, RIGHT_IN_EVERY_SINK + own) + '[log]\nformat = "json"\n')
                daemon.wait_until_running()
                daemon.kill()

    def test_listeners_and_a_log_that_check_finds_good_start(self):
        daemon = self.accept(RIGHT + sink("null"))
        log = self.here / "log"
        trackd.wait_until(lambda: log.exists() and "running" in log.read_text(), "the start")
        daemon.kill()


class Disk(Agreement):
    """What the configuration does not say."""

    def test_a_data_directory_that_cannot_be(self):
        (self.here / "data").write_text("")
        self.refuse(sink("null"), "data_dir HERE/data: is not a directory")
        (self.here / "data").unlink()
        (self.here / "data").symlink_to(self.here / "missing")
        self.refuse(sink("null"), "data_dir HERE/data: is not a directory")

    def test_a_directory_of_trackds_own_that_is_none(self):
        for name, kind in (("journal", "journal"), ("dead-letters", "dead letters")):
            with self.subTest(name):
                (self.here / "data").mkdir(exist_ok=True)
                (self.here / "data" / name).write_text("")
                self.refuse(sink("null"), f"{kind} HERE/data/{name}: is not a directory")
                (self.here / "data" / name).unlink()

    def test_dead_letters_that_are_none(self):
        (self.here / "data" / "dead-letters").mkdir(parents=True)
        (self.here / "data" / "dead-letters" / "one.jsonl").write_text("no letter")
        self.refuse(sink("null"), "sink one: its dead letters: cannot use HERE/data/dead-letters/one.jsonl")

    def test_a_database_in_use_and_one_left_by_a_crash_are_good(self):
        text = sink("sqlite", 'path = "HERE/deep/events.db"\n') + '[log]\nformat = "json"\n'
        daemon = self.accept(text)
        daemon.wait_until_running()
        self.assertEqual(daemon.post({"id": "1"}).status, 201)
        trackd.wait_until(lambda: daemon.sink("one")["pending"] == 0, "the delivery")
        for _ in range(2):
            done = trackd.run("check", *self.arguments(text), cwd=self.here)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            daemon.crash()
        self.assertTrue((self.here / "deep" / "events.db-wal").exists())
        self.accept(text).wait_until_running()

    def test_all_that_is_wrong_is_said_at_once(self):
        (self.here / "data").mkdir()
        (self.here / "data" / "journal").write_text("")
        self.refuse(
            '[log]\nfile = "HERE/missing/log"\n[http]\nlisten = "unix:HERE/directory"\ntls.certificate = "HERE/missing"\n'
            'tls.key = "HERE/key.pem"\n' + sink("postgres", 'table = "a.b.c"\n') + sink("file", 'path = "HERE/file"\n', "two"),
            "http.tls: HERE/missing", "log.file: cannot open HERE/missing/log", "journal HERE/data/journal",
            "sink one: table", "sink two: cannot use HERE/file", "cannot listen on unix:HERE/directory",
        )

    def test_an_ordinary_user_is_told_what_may_not_be_written(self):
        if os.geteuid() == 0:
            self.skipTest("root may write everywhere")
        (self.here / "directory").chmod(0o500)
        for path in ("events.jsonl", "new/events.jsonl"):
            self.refuse(sink("file", f'path = "HERE/directory/{path}"\n'), "Permission denied")
        self.refuse(sink("sqlite", 'path = "HERE/directory/events.db"\n'), "Permission denied")


class SharedFiles(Agreement):
    def two(self, first, second, more=""):
        kind = lambda path: "sqlite" if ".db" in path else "file"
        return more + sink(kind(first), f'path = "{first}"\n', "a") + sink(kind(second), f'path = "{second}"\n', "b")

    def test_two_sinks_with_one_file(self):
        (self.here / "link").symlink_to("directory")
        (self.here / "to-new.jsonl").symlink_to(self.here / "directory" / "e.jsonl")
        for first, second in (
            ("HERE/directory/e.jsonl", "HERE/link/e.jsonl"), ("HERE/directory/e.db", "HERE/link/e.db"),
            ("HERE/to-new.jsonl", "HERE/directory/e.jsonl"), ("HERE/e.jsonl", "e.jsonl"),
            ("HERE/e.db", "HERE/e.db-wal/e.jsonl"), ("HERE/deep/e.jsonl", "HERE/deep"),
        ):
            with self.subTest(f"{first} and {second}"):
                self.refuse(self.two(first, second), "sink ")

    def test_a_hard_link(self):
        (self.here / "e.jsonl").write_text("")
        (self.here / "f.jsonl").hardlink_to(self.here / "e.jsonl")
        self.refuse(self.two("HERE/e.jsonl", "HERE/f.jsonl"), 'sink b: path: found "HERE/f.jsonl"')

    def test_a_sink_and_the_log(self):
        log = '[log]\nfile = "HERE/e.jsonl"\n'
        self.refuse(log + sink("file", 'path = "e.jsonl"\n'), 'sink one: path: found "e.jsonl", which is a file of log.file')
        arguments = self.arguments(sink("file", 'path = "HERE/e.jsonl"\n'))
        with open(self.here / "e.jsonl", "w") as log:
            started = trackd.subprocess.run([trackd.binary(), *map(str, arguments)], stderr=log, timeout=trackd.PATIENCE)
        self.assertEqual(started.returncode, 2)
        self.assertIn("a file of standard error", (self.here / "e.jsonl").read_text())

    def test_a_sink_and_a_listener(self):
        self.refuse('[http]\nlisten = "unix:HERE/socket"\n' + sink("file", 'path = "HERE/socket"\n'), "http.listen: found ")

    def test_two_listeners(self):
        self.refuse('[http]\nlisten = "127.0.0.1:9"\n[admin]\nlisten = "127.0.0.1:9"\n' + sink("null"), "admin.listen: ")

    def test_a_reload_refuses_the_log_of_a_sink(self):
        path = self.here / "e.jsonl"
        text = sink("file", f'path = "{path}"\n')
        daemon = self.start({"data_dir": self.here / "data"}, file=text)
        daemon.file.write_text(f'[log]\nfile = "{path}"\n' + text)
        done = trackd.run("reload", "--set", "admin.listen={}:{}".format(*daemon.admin))
        self.assertEqual(done.returncode, 2, done)
        self.assertIn("which is a file of log.file", done.stderr)
        daemon.stop()


class Documents(Agreement):
    def test_the_first_example_of_the_configuration_starts(self):
        text = (trackd.ROOT / "docs/configuration.md").read_text().split("```toml\n")[1].split("```")[0]
        self.assertIn("archive/events.jsonl", text)
        text = re.sub(r"(?m)^data_dir = .*$", "", text).replace("0.0.0.0:8080", "127.0.0.1:0")
        daemon = self.accept(text + '[log]\nformat = "json"\n[admin]\nlisten = "127.0.0.1:0"\n')
        daemon.wait_until_running()
        self.assertEqual((self.here / "data" / "archive").stat().st_mode & 0o777, 0o700)
        daemon.stop()
