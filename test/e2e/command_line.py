"""The commands, and what they say to a configuration that cannot be."""
import pathlib
import re
import shlex
import signal
import socket
import subprocess
import tempfile
import unittest

from support import trackd


class CommandLine(trackd.TestCase):
    def setUp(self):
        place = tempfile.TemporaryDirectory(prefix="trackd-test-")
        self.addCleanup(place.cleanup)
        self.place = pathlib.Path(place.name)

    def configuration(self, text):
        path = self.place / "trackd.toml"
        path.write_text(text)
        return path

    def assert_one_line(self, done, *parts):
        self.assertEqual(done.returncode, 2, done)
        self.assertEqual(done.stdout, "")
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        for part in parts:
            self.assertIn(part, done.stderr)


class ManualPage(unittest.TestCase):
    def page(self):
        """What the page says of each command, without its markup, with a line in front that names it."""
        text = (trackd.ROOT / "docs/man/trackd.1").read_text().split(".SH COMMANDS\n")[1].split("\n.SH")[0]
        text = re.sub(r'\\f.|"', "", text).replace("\\-", "-")
        return [re.sub(r"(?m)^\.[A-Z]+ +", "", entry) for entry in text.split(".TP\n")[1:]]

    def commands(self, *before):
        """Each command as its help tells of it, with its options."""
        said = trackd.run(*before, "--help").stdout
        below = said.partition("\nSubcommands:\n")[2]
        names = re.findall(r"(?m)^  ([a-z-]+)", below)
        for name in names:
            yield from self.commands(*before, name)
        if not names:
            yield " ".join(before), set(re.findall(r"(?m)^  (--[a-z-]+)", said))

    def test_it_has_each_command_with_its_options(self):
        page, commands = self.page(), dict(self.commands())
        self.assertLessEqual({"serve", "tail", "journal cat", "dead-letters retry"}, set(commands))
        for command, options in commands.items():
            with self.subTest(command):
                entries = [entry for entry in page if re.search(rf"(^|, +){command}\b", entry.splitlines()[0])]
                self.assertEqual(len(entries), 1)
                for option in options:
                    self.assertRegex(entries[0], rf"{option}\b")


class Configuration(CommandLine):
    def refuse(self, text, *patterns, settings=(), environment=None):
        """Each pattern has to be found in a line of its own, in this order, and there are no other lines."""
        path = self.configuration(text)
        arguments = ["--config", path]
        for setting in settings:
            arguments += ["--set", setting]
        for command in (["check"], ["serve"], []):
            done = trackd.run(*command, *arguments, environment=environment)
            self.assertEqual(done.returncode, 2, done)
            lines = done.stderr.splitlines()
            self.assertEqual(len(lines), len(patterns), done.stderr)
            for line, pattern in zip(lines, patterns):
                self.assertRegex(line, pattern.replace("FILE", str(path)))

    def test_the_first_syntax_error_has_its_place(self):
        self.refuse("[http]\nlisten = \n", r"^FILE:2:\d+: \S")
        self.refuse('[http\nlisten = "x"\n', r"^FILE:1:\d+: \S")

    def test_everything_else_comes_in_one_go(self):
        self.refuse(
            '[http]\nlisten = "127.0.0.1:0"\nlissten = "x"\nthreads = "many"\n[shutdown]\ndrain_timeout = "5 parsecs"\n'
            '[tracker]\nmax_pending_events = 0\nack = "maybe"\n',
            r"^FILE:3:1: .*lissten", r"^FILE:4:\d+: .*threads", r"^FILE:6:\d+: .*drain_timeout",
            r"^FILE:8:\d+: .*max_pending_events", r"^FILE:9:\d+: .*ack.*accepted",
        )

    def test_values_that_cannot_be(self):
        for text, key in (
            ('[http]\nlisten = "127.0.0.1:70000"', "listen"),
            ('[http]\nlisten = "nowhere"', "listen"),
            ("[http]\nlisten = 8080", "listen"),
            ("[http]\nmax_body_bytes = -1", "max_body_bytes"),
            ('[http]\nmax_body_bytes = "12 bananas"', "max_body_bytes"),
            ('[log]\nformat = "xml"', "format"),
            ('[log]\nlevel = "loud"', "level"),
            ('[tracker]\nretry.min = "-1s"', "retry.min"),
            ('[tracker]\nsource = ""', "source"),
            ('[backlog]\nkind = "cardboard"', "kind"),
        ):
            with self.subTest(text=text):
                self.refuse(text + "\n", rf"^FILE:2:\d+: .*{key}")

    def test_journaled_needs_a_journal(self):
        self.refuse('[backlog]\nkind = "memory"\n[tracker]\nack = "journaled"\n', r"^FILE:4:\d+: .*(memory|journal)")

    def test_sinks(self):
        self.refuse('[[sinks]]\nname = "a"\nkind = "carrier pigeon"\n', r"^FILE:3:\d+: .*kind.*sqlite")
        twice = '[[sinks]]\nname = "a"\nkind = "null"\n'
        self.refuse(twice + twice, r"^FILE:\d:\d+: .*\ba\b")
        self.refuse('[[sinks]]\nname = "a"\nkind = "null"\ncolour = "red"\n', r"^FILE:4:\d+: .*colour")

    def test_settings_and_variables_are_named_by_where_they_came_from(self):
        self.refuse("", r"^--set http\.threads: ", settings=["http.threads=many"])
        self.refuse("", r"^--set http\.colour: ", settings=["http.colour=red"])
        self.refuse("", r"^TRACKD_HTTP__LISTEN: ", environment={"TRACKD_HTTP__LISTEN": "nowhere"})
        self.refuse("", r"^TRACKD_HTTP__COLOUR: ", environment={"TRACKD_HTTP__COLOUR": "red"})

    def test_references_that_lead_nowhere(self):
        self.refuse('data_dir = "${TRACKD_TEST_NO_SUCH}"\n', r"^FILE:1:\d+: .*TRACKD_TEST_NO_SUCH")
        self.refuse('data_dir = "${file:/no/such/file}"\n', r"^FILE:1:\d+: .*/no/such/file")

    def test_a_file_that_is_not_there(self):
        self.assert_one_line(trackd.run("check", "--config", self.place / "none.toml"), "none.toml")

    def test_the_shipped_configuration_is_sound(self):
        done = trackd.run("check", "--config", trackd.ROOT / "config" / "trackd.toml", cwd=self.place)
        self.assertEqual(done.returncode, 0, done)


class Effective(CommandLine):
    """`trackd config`."""

    def effective(self, *arguments, text="", environment=None):
        path = self.configuration(text)
        done = trackd.run("config", "--config", path, *arguments, environment=environment)
        self.assertEqual(done.returncode, 0, done)
        return done.stdout

    def test_it_is_a_configuration_with_the_same_meaning(self):
        first = self.effective("--set", "tracker.max_pending_events=77")
        self.assertIn("max_pending_events = 77", first)
        self.assertIn("127.0.0.1:8080", first)
        self.assertEqual(self.effective(text=first), first)

    def test_set_beats_the_environment_and_that_the_file(self):
        text = '[tracker]\nsource = "/file"\n'
        variable = {"TRACKD_TRACKER__SOURCE": "/variable"}
        self.assertIn('"/file"', self.effective(text=text))
        self.assertIn('"/variable"', self.effective(text=text, environment=variable))
        self.assertIn('"/set"', self.effective("--set", "tracker.source=/set", text=text, environment=variable))

    def test_a_variable_of_somebody_else_is_left_alone(self):
        self.effective(environment={"TRACKD_SOMETHING": "else"})

    def test_references_are_replaced(self):
        (self.place / "secret").write_text("/from/a/file\n")
        text = f'[tracker]\nsource = "${{NAME:-/nobody}}"\n[http]\nlisten = "${{ADDRESS}}"\n'
        shown = self.effective(text=text, environment={"ADDRESS": "127.0.0.1:9"})
        self.assertIn('"/nobody"', shown)
        self.assertIn("127.0.0.1:9", shown)
        shown = self.effective(text=f'[tracker]\nsource = "${{file:{self.place / "secret"}}}"\n')
        self.assertIn('"/from/a/file"', shown)


class Commands(CommandLine):
    def test_version_and_help(self):
        version = trackd.run("--version")
        self.assertEqual((version.returncode, version.stderr), (0, ""))
        self.assertRegex(version.stdout, r"^trackd \d+\.\d+\.\d+\nsinks: file, ([a-z]+, )+sqlite\n$")
        text = trackd.run("--help")
        self.assertEqual((text.returncode, text.stderr), (0, ""))
        for word in ("serve", "check", "config", "healthcheck", "--config", "--set"):
            self.assertIn(word, text.stdout)

    def test_what_it_does_not_know_is_one_line_and_2(self):
        self.assert_one_line(trackd.run("dance"), "dance")
        self.assert_one_line(trackd.run("--dance"), "--dance")
        self.assert_one_line(trackd.run("--set"), "--set")

    def test_check_says_what_is_sound_and_creates_nothing(self):
        done = trackd.run("check", "--config", self.configuration('[http]\nlisten = "127.0.0.1:0"\n'))
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(sorted(path.name for path in self.place.iterdir()), ["trackd.toml"])

    def test_healthcheck(self):
        daemon = self.start({"shutdown.lame_duck": "10m"})
        address = f"admin.listen={daemon.admin[0]}:{daemon.admin[1]}"
        config = self.configuration("")

        def health(*arguments):
            return trackd.run("healthcheck", *arguments, "--config", config, "--set", address).returncode

        self.assertEqual((health(), health("--ready")), (0, 0))
        daemon.signal()
        daemon.log.wait_for("^stage lame_duck")
        self.assertEqual((health(), health("--ready")), (0, 1))
        daemon.stop(signal.SIGTERM)
        self.assertEqual(health(), 1)


class Streams(CommandLine):
    """Standard output and standard error that are closed, or take nothing."""

    def run_by_shell(self, redirection, *arguments):
        quoted = shlex.join([trackd.binary(), *map(str, arguments)])
        return subprocess.run(["sh", "-c", f"exec {quoted} {redirection}"], stderr=subprocess.PIPE, text=True,
                              timeout=trackd.PATIENCE, env=trackd.clean_environment())

    def test_each_command_whose_output_cannot_be_written_fails(self):
        daemon = self.start({"sinks": '[{name = "one", kind = "null"}]'})
        for command in ("--version", "--help", "check --help", "check", "config", "healthcheck", "status", "status --json",
                        "reload", "key new someone", "journal list", "journal verify", "journal cat", "dead-letters list",
                        "dead-letters show one", "sink pause one", "sink resume one"):
            own = [] if command.endswith("--help") or command == "--version" else daemon.configuration()
            if own:
                own += ["--set", "admin.listen={}:{}".format(*daemon.admin)]
            prints = trackd.run(*command.split(), *own)
            self.assertEqual(prints.returncode, 0, prints)
            for redirection in ("> /dev/full", ">&-"):
                with self.subTest(f"{command} {redirection}"):
                    done = self.run_by_shell(redirection, *command.split(), *own)
                    if prints.stdout:
                        self.assertNotEqual(done.returncode, 0, done)
                        self.assertIn("standard output cannot be written to", done.stderr)
        daemon.stop()

    def serve_by_shell(self, redirection, *settings):
        arguments = ["--config", self.configuration(""), "--set", f"data_dir={self.place / 'data'}",
                     "--set", f"http.listen=unix:{self.place / 'ingest'}", "--set", f"admin.listen=unix:{self.place / 'admin'}"]
        for setting in settings:
            arguments += ["--set", setting]
        quoted = shlex.join([trackd.binary(), *map(str, arguments)])
        process = subprocess.Popen(["sh", "-c", f"exec {quoted} {redirection}"], env=trackd.clean_environment())
        self.addCleanup(lambda: process.poll() is None and process.kill() or process.wait())
        trackd.wait_until(lambda: (self.place / "admin").is_socket() or process.poll() is not None, "the start")
        self.assertIsNone(process.poll())
        return process

    def test_a_start_without_any_of_them(self):
        for redirection in ("2>&-", "<&- >&- 2>&-"):
            with self.subTest(redirection):
                process = self.serve_by_shell(redirection)
                process.terminate()
                self.assertEqual(process.wait(trackd.PATIENCE), 0)

    def test_the_log_file_has_its_lines_from_the_first_on(self):
        log = self.place / "log"
        for redirection in ("2>&-", "<&- >&- 2>&-"):
            with self.subTest(redirection):
                log.unlink(missing_ok=True)
                process = self.serve_by_shell(redirection, f"log.file={log}")
                trackd.wait_until(lambda: "running" in log.read_text(), "the line")
                self.assertIn("ingest listening", log.read_text())
                process.terminate()
                self.assertEqual(process.wait(trackd.PATIENCE), 0)
                self.assertIn("shutdown complete", log.read_text())


class Hangup(CommandLine):
    def blocks_hangup(self, pid):
        blocked = re.search(r"(?m)^SigBlk:\s*(\w+)$", pathlib.Path(f"/proc/{pid}/status").read_text()).group(1)
        return int(blocked, 16) >> (signal.SIGHUP - 1) & 1

    def test_one_during_the_start_is_a_reload_once_it_runs(self):
        for _ in range(5):
            daemon = self.start(wait=False)
            trackd.wait_until(lambda: self.blocks_hangup(daemon.pid) or daemon.log.find("running"), "the first function")
            daemon.signal(signal.SIGHUP)
            daemon.log.wait_for("^SIGHUP: configuration 2 is in force")
            daemon.wait_until_running()
            daemon.signal(signal.SIGHUP)
            daemon.log.wait_for("^SIGHUP: configuration 3 is in force")
            daemon.stop()

    def test_it_ends_any_other_command(self):
        daemon = self.start()
        tail = subprocess.Popen([trackd.binary(), "tail", "--set", "admin.listen={}:{}".format(*daemon.admin)],
                                stdout=subprocess.DEVNULL, env=trackd.clean_environment())
        tail.send_signal(signal.SIGHUP)
        self.assertEqual(tail.wait(trackd.PATIENCE), -signal.SIGHUP)
        daemon.stop()


class Start(CommandLine):
    """What stops a start: one clear line, and exit status 2."""

    def serve(self, **settings):
        arguments = ["serve", "--config", self.configuration("")]
        defaults = {"http.listen": "127.0.0.1:0", "admin.listen": "127.0.0.1:0", "data_dir": self.place / "data"}
        for key, value in {**defaults, **{key.replace("__", "."): value for key, value in settings.items()}}.items():
            arguments += ["--set", f"{key}={value}"]
        return trackd.run(*arguments)

    def test_a_port_in_use(self):
        with socket.create_server(("127.0.0.1", 0)) as other:
            address = f"127.0.0.1:{other.getsockname()[1]}"
            self.assert_last_line(self.serve(http__listen=address), address, "in use")
            self.assert_last_line(self.serve(admin__listen=address), address, "in use")

    def test_a_data_directory_that_cannot_be(self):
        (self.place / "file").write_text("")
        directory = self.place / "file" / "data"
        self.assert_last_line(self.serve(data_dir=directory), str(directory))

    def test_a_database_that_is_none(self):
        (self.place / "data").mkdir()
        (self.place / "data" / "events.db").write_text("this is no database, and nobody may overwrite it\n" * 50)
        self.assert_last_line(self.serve(), "events.db")
        self.assertIn("nobody may overwrite", (self.place / "data" / "events.db").read_text())

    def test_the_data_directory_is_private(self):
        daemon = self.start({"data_dir": self.place / "new"})
        self.assertEqual((self.place / "new").stat().st_mode & 0o777, 0o700)
        daemon.stop()

    def assert_last_line(self, done, *parts):
        self.assertEqual(done.returncode, 2, done)
        self.assertTrue(done.stderr, done)
        for part in parts:
            self.assertIn(part, done.stderr.splitlines()[-1])
        self.assertNotIn("running", done.stderr)
