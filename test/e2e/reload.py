"""A configuration that changes while the daemon runs: what it takes up, what it refuses, and that clients see nothing of it."""
import hashlib
import json
import re
import shutil
import signal
import tomllib

from support import tls, trackd
from support.load import Ledger
from support.raw_http import Connection


def key(name, more=""):
    """A key and its block in the configuration."""
    text = f"trk_{name}"
    return text, f'[[keys]]\nname = "{name}"\nsha256 = "{hashlib.sha256(text.encode()).hexdigest()}"\n{more}'


class KeyedLedger(Ledger):
    """Load whose requests show a key."""

    def __init__(self, address, key, **options):
        super().__init__(address, **options)
        self.wish += f"Authorization: Bearer {key}\r\n"


class ReloadCase(trackd.TestCase):
    def reload(self, daemon, text):
        """Writes another configuration, and has it taken up."""
        daemon.file.write_text(text)
        return daemon.reload()

    def configuration(self, daemon):
        return daemon.status()["configuration"]


class LogFile(ReloadCase):
    """log.file, and whoever moves it away to begin a new one."""

    def lines(self, path):
        return [json.loads(line)["message"] for line in path.read_text().splitlines()]

    def test_the_log_goes_into_the_file_and_back(self):
        daemon = self.start(file="")
        path = daemon.directory / "trackd.log"
        self.assertEqual(self.reload(daemon, f'log.file = "{path}"')["changed"], ["log.file"])
        self.assertEqual(path.stat().st_mode & 0o7777, 0o640)
        self.assertEqual(self.lines(path)[-1], "trackd reload: configuration 2 is in force; changed: log.file")
        self.reload(daemon, "")
        daemon.log.wait_for("configuration 3 is in force")
        self.assertIsNone(daemon.log.find("configuration 2 is in force"))
        self.assertIn("configuration 2", self.lines(path)[-1], "what came later is not there")

    def test_a_reload_opens_it_anew_after_it_was_moved_away(self):
        daemon = self.start(file="")
        path, old = daemon.directory / "trackd.log", daemon.directory / "trackd.log.1"
        self.reload(daemon, f'log.file = "{path}"')
        path.rename(old)
        daemon.signal(signal.SIGHUP)
        trackd.wait_until(lambda: path.exists() and "configuration 3 is in force" in path.read_text(), "the new file")
        self.assertIn("configuration 2", self.lines(old)[-1], "what came later is in the new one")
        daemon.process.send_signal(signal.SIGTERM)
        daemon.process.wait(trackd.PATIENCE)
        self.assertRegex(self.lines(path)[-1], "^shutdown complete reason=SIGTERM")

    def test_one_that_cannot_be_opened_changes_nothing(self):
        daemon = self.start(file="")
        path = daemon.directory / "nowhere" / "trackd.log"
        done = self.reload(daemon, f'log.file = "{path}"')
        wrong = f"log.file: cannot open {path}: No such file or directory; expected a file that can be written to"
        self.assertEqual((done["generation"], done["wrong"]), (1, [wrong]))
        daemon.log.wait_for("the configuration is refused")

    def test_one_that_cannot_be_opened_is_no_place_to_start(self):
        done = trackd.run("serve", "--config", "/dev/null", "--set", "log.file=/dev/null/trackd.log")
        self.assertEqual(done.returncode, 2)
        self.assertIn("log.file: cannot open /dev/null/trackd.log: Not a directory; expected a file that can be written to",
                      done.stderr.splitlines())


class Command(ReloadCase):
    def test_a_reload_is_taken_up_and_says_what_has_changed(self):
        daemon = self.start(file="[http]\nmax_body_bytes = 100\n")
        before = self.configuration(daemon)
        self.assertEqual((before["generation"], before["changed"], before["refused"]), (1, [], None))
        with daemon.connect() as connection:
            self.assertEqual(connection.request("POST", "/events", b'{"x":"' + b"y" * 50 + b'"}').status, 201)
            self.assertEqual(self.post_on_a_connection_of_its_own(daemon, 200), 413)
            daemon.file.write_text('[http]\nmax_body_bytes = 1000\nidle_timeout = "1m"\n[tracker]\nsource = "after"\n')
            done = daemon.command("reload")
            self.assertEqual(
                (done.returncode, done.stdout, done.stderr),
                (0, "configuration 2 is in force; changed: http.max_body_bytes, http.idle_timeout, tracker.source\n", ""))
            self.assertEqual(connection.request("POST", "/events", b'{"x":"' + b"y" * 200 + b'"}').status, 201,
                             "on the connection that was open")
        after = self.configuration(daemon)
        self.assertEqual((after["generation"], after["refused"]), (2, None))
        self.assertEqual(after["changed"], ["http.max_body_bytes", "http.idle_timeout", "tracker.source"])
        self.assertGreater(after["since"], before["since"])
        self.assertEqual([row["source"] for row in daemon.rows(2)], ["trackd", "after"])
        self.assertEqual(daemon.stop().accepted, 2)

    def post_on_a_connection_of_its_own(self, daemon, size):
        return daemon.post("x" * size, content_type="text/plain").status

    def test_the_signal_does_the_same(self):
        daemon = self.start(file="")
        daemon.file.write_text("[http]\nmax_batch_events = 2\n")
        daemon.signal(signal.SIGHUP)
        said = daemon.log.wait_for("^SIGHUP: (configuration .*)")[1]
        self.assertEqual(said, "configuration 2 is in force; changed: http.max_batch_events")
        trackd.wait_until(lambda: daemon.post([{}, {}, {}]).status == 413, "each thread has it")
        daemon.signal(signal.SIGHUP)
        daemon.log.wait_for("^SIGHUP: configuration 3 is in force; changed: nothing")
        daemon.stop()

    def test_nobody_there_to_be_asked(self):
        daemon = self.start()
        daemon.stop()
        for command in (["reload"], ["status"], ["status", "--json"]):
            done = daemon.command(*command)
            self.assertEqual((done.returncode, done.stdout), (1, ""), done)
            self.assertIn("does not answer at admin.listen", done.stderr)

    def test_a_stop_does_not_wait_for_it_and_takes_no_other_one_up(self):
        daemon = self.start({"shutdown.lame_duck": "10m"}, file="")
        daemon.signal()
        daemon.log.wait_for("^stage lame_duck")
        report = self.reload(daemon, "[http]\nmax_batch_events = 2\n")
        self.assertEqual(report["wrong"], ["trackd is in stage lame_duck, expected running"])
        daemon.stop()


class Refused(ReloadCase):
    def test_a_bad_configuration_under_load_changes_nothing_and_says_why(self):
        daemon = self.start(file="[http]\nmax_batch_events = 5\n")
        load = Ledger(daemon.ingest, connections=8).start()
        load.wait_for_created(50)
        bad = '[http]\nmax_batch_events = 6\nmax_body_bytes = "much"\n[log]\nlevel = "loud"\n'
        daemon.file.write_text(bad)
        done = daemon.command("reload")
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        lines = done.stderr.splitlines()
        self.assertEqual(len(lines), 2, lines)
        self.assertRegex(lines[0], r"trackd\.toml:3:\d+: http\.max_body_bytes: found \"much\"")
        self.assertRegex(lines[1], r"trackd\.toml:5:\d+: log\.level: found \"loud\"")
        answer = daemon.ask("/reload", "POST")
        self.assertEqual((answer.status, answer.json()["wrong"]), (422, lines), "the daemon itself says the same")
        daemon.signal(signal.SIGHUP)
        daemon.log.wait_for("^SIGHUP: the configuration is refused; everything stays as it was")
        for line in lines:
            self.assertTrue(daemon.log.find("^SIGHUP: " + re.escape(line)))
        state = self.configuration(daemon)
        self.assertEqual((state["generation"], state["changed"]), (1, []))
        self.assertEqual(state["refused"]["wrong"], lines)
        self.assertEqual(daemon.post([{}] * 6).status, 413, "as before")
        report = self.reload(daemon, "[http]\nmax_batch_events = 6\n")
        self.assertEqual((report["generation"], report["wrong"]), (2, []))
        self.assertIsNone(self.configuration(daemon)["refused"], "it is not so any more")
        self.assertEqual(daemon.post([{}] * 6).status, 201)
        load.wait_for_created(len(load.created) + 50)
        load.stop()
        self.assertEqual((list(load.answers), load.cut_off, load.unheard), ([201], [], []), load.outcome())
        self.assertEqual(daemon.stop().accepted, len(load.created) + 6)

    def test_what_needs_a_restart_is_refused_with_all_that_came_with_it(self):
        daemon = self.start(file="[http]\nmax_batch_events = 5\n")
        daemon.file.write_text('[http]\nthreads = 7\nmax_batch_events = 6\n[[sinks]]\nname = "other"\nkind = "null"\n')
        done = daemon.command("reload")
        self.assertEqual(done.returncode, 2)
        self.assertEqual(
            done.stderr,
            "".join(f"{what}: has changed, expected what it was: it needs a restart\n"
                    for what in ("http.threads", "sinks.sqlite", "sinks.other")))
        self.assertEqual(daemon.post([{}] * 6).status, 413, "as before")
        self.assertEqual(self.configuration(daemon)["generation"], 1)
        daemon.stop()

    def test_no_secret_is_in_what_is_said(self):
        daemon = self.start(file='[admin]\ntoken = "0123456789abcdef"\n')
        daemon.file.write_text('[admin]\ntoken = "hush"\n[[sinks]]\nname = "a"\nkind = "http"\nurl = "http://hush hush"\n'
                               'headers = ["hush\\n"]\n')
        daemon.signal(signal.SIGHUP)
        daemon.log.wait_for("^SIGHUP: the configuration is refused")
        said = daemon.ask("/status", Authorization="Bearer 0123456789abcdef").body.decode()
        self.assertEqual(len(json.loads(said)["configuration"]["refused"]["wrong"]), 2, said)
        self.assertNotIn("hush", said)
        self.assertNotIn("hush", daemon.log.tail(1000))


class Keys(ReloadCase):
    def test_rotations_under_load_fail_no_request_and_the_old_key_is_dead_at_once(self):
        stays, stays_block = key("stays")
        old, old_block = key("number-0")
        daemon = self.start(file=stays_block + old_block)
        load = KeyedLedger(daemon.ingest, stays, connections=16).start()
        for number in range(1, 11):
            new, new_block = key(f"number-{number}")
            self.assertEqual(self.reload(daemon, stays_block + old_block + new_block)["wrong"], [])
            self.assertEqual([self.post_with(daemon, one) for one in (old, new)], [201, 201])
            report = self.reload(daemon, stays_block + new_block)
            self.assertEqual(report["changed"], [f"keys.number-{number - 1}"])
            for _ in range(4):  # connections on each of the threads
                self.assertEqual([self.post_with(daemon, one) for one in (old, new)], [401, 201])
            load.wait_for_created(len(load.created) + 20)
            old, old_block = new, new_block
        load.stop()
        self.assertEqual((list(load.answers), load.cut_off, load.unheard), ([201], [], []), load.outcome())
        self.assertEqual(daemon.stop().accepted, len(load.created) + 10 * 6)

    def post_with(self, daemon, key):
        return daemon.post({"n": 1}, Authorization=f"Bearer {key}").status


class Certificates(ReloadCase):
    def settings(self, certificate, key):
        return f'[http]\ntls.certificate = "{certificate}"\ntls.key = "{key}"\n'

    def test_new_connections_see_the_new_certificate(self):
        place = self.empty_directory()
        first, second = tls.certificate(place), tls.certificate(place, "second")
        daemon = self.start(file=self.settings(*first))
        daemon.tls = tls.client(first[0])
        kept = self.connect(daemon)
        self.assertEqual(kept.request("POST", "/events", b"{}").status, 201)
        report = self.reload(daemon, self.settings(*second))
        self.assertEqual(report["changed"], ["http.tls.certificate", "http.tls.key"])
        with Connection(daemon.ingest, tls=tls.client(second[0])) as after:
            self.assertEqual(after.request("POST", "/events", b"{}").status, 201)
        self.assertEqual(kept.request("POST", "/events", b"{}").status, 201, "the one that was open keeps its own")
        report = self.reload(daemon, self.settings(first[0], second[1]))
        self.assertEqual(report["wrong"],
                         [f"http.tls: {second[1]}: is not the key of the certificate in {first[0]}"])
        with Connection(daemon.ingest, tls=tls.client(second[0])) as after:
            self.assertEqual(after.request("POST", "/events", b"{}").status, 201)
        shutil.copyfile(first[0], second[0])
        shutil.copyfile(first[1], second[1])
        report = self.reload(daemon, self.settings(*second))
        self.assertEqual((report["changed"], report["wrong"]), ([], []), "only the files are others")
        with Connection(daemon.ingest, tls=tls.client(first[0])) as after:
            self.assertEqual(after.request("POST", "/events", b"{}").status, 201)
        self.assertEqual(daemon.stop().accepted, 5)


class Routes(ReloadCase):
    SINKS = '[[sinks]]\nname = "all"\nkind = "sqlite"\n[[sinks]]\nname = "some"\nkind = "null"\n'

    def test_a_sink_gets_what_its_latest_route_wants(self):
        daemon = self.start(file=self.SINKS)

        def send(kind):
            self.assertEqual(daemon.post({"n": 1}, path=f"/events/{kind}").status, 201)
            daemon.wait_until_delivered()
            sink = daemon.sink("some")
            return sink["delivered"], sink["filtered"]

        self.assertEqual(send("page"), (1, 0))
        report = self.reload(daemon, self.SINKS + 'types = "order.*"\n')
        self.assertEqual(report["changed"], ["sinks.some.types"])
        self.assertEqual(send("page"), (1, 1))
        self.assertEqual(send("order.paid"), (2, 1))
        self.reload(daemon, self.SINKS)
        self.assertEqual(send("page"), (3, 1))
        self.assert_books_balance(daemon.status())
        self.assertEqual(daemon.sink("all")["delivered"], 4)
        daemon.stop()


class Level(ReloadCase):
    def test_the_level_of_the_log_changes_and_comes_back_with_a_reload(self):
        daemon = self.start(file='[log]\nlevel = "info"\n')
        self.assertEqual(daemon.ask("/debug/log-level").json(), {"level": "info"})
        answer = daemon.ask("/debug/log-level", "PUT", b'{"level":"error"}')
        self.assertEqual((answer.status, answer.json()), (200, {"level": "error"}))
        self.assertEqual(daemon.ask("/debug/log-level").json(), {"level": "error"})
        self.assertEqual(tomllib.loads(daemon.ask("/debug/config").body.decode())["log"]["level"], "error")
        for body in (b"", b'{"level":"loud"}', b'{"level":7}', b'{"level":"info","x":1}', b'"info"', b"{"):
            self.assert_problem(daemon.ask("/debug/log-level", "PUT", body), 400, "trace")
        self.assertEqual(daemon.ask("/debug/log-level").json(), {"level": "error"})
        seen = len(daemon.log.entries)
        self.assertEqual(self.reload(daemon, '[log]\nlevel = "error"\n')["changed"], [])
        self.assertEqual(self.reload(daemon, '[log]\nlevel = "info"\n')["changed"], ["log.level"])
        daemon.log.wait_for("^trackd reload: configuration 3 is in force; changed: log.level")
        self.assertFalse([entry for entry in daemon.log.entries[seen:] if "configuration 2" in entry["message"]],
                         "which was no error")
        daemon.stop()
