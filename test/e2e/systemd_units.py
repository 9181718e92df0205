"""The units in config/systemd: what systemd's tools say of them, and whether trackd can live in what they permit."""
import functools
import re
import shutil
import subprocess
import tomllib
import unittest

from support import strace, trackd

UNITS = trackd.ROOT / "config" / "systemd"
PAGE = trackd.ROOT / "docs" / "systemd.md"


def analyze(*arguments):
    done = subprocess.run(["systemd-analyze", "--no-pager", *map(str, arguments)], capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def service():
    """The settings of the [Service] section, each with its values in their order."""
    values = {}
    for line in (UNITS / "trackd.service").read_text().partition("[Service]")[2].partition("[Install]")[0].splitlines():
        if "=" in line and not line.startswith("#"):
            key, _, value = line.partition("=")
            values.setdefault(key, []).append(value)
    return values


@functools.cache
def calls_in(group):
    """The names of the system calls in one of systemd's groups."""
    names = set()
    for word in analyze("syscall-filter", group)[1].splitlines()[1:]:
        word = word.strip()
        if word.startswith("@"):
            names |= calls_in(word)
        elif word and not word.startswith("#"):
            names.add(word)
    return frozenset(names)


@unittest.skipUnless(shutil.which("systemd-analyze"), "systemd-analyze is not installed: scripts/install-deps test")
class WhatSystemdSays(trackd.TestCase):
    def units_with_this_binary(self):
        place = self.empty_directory()
        text = (UNITS / "trackd.service").read_text()
        self.assertEqual(text.count("=/usr/bin/trackd "), 2)
        (place / "trackd.service").write_text(text.replace("=/usr/bin/trackd ", f"={trackd.binary()} "))
        shutil.copy(UNITS / "trackd.socket", place)
        return place

    def test_nothing_is_wrong_with_them(self):
        place = self.units_with_this_binary()
        self.assertEqual(analyze("verify", "--man=no", place / "trackd.service", place / "trackd.socket"), (0, ""))

    def test_the_exposure_is_the_one_that_the_page_tells(self):
        told = re.search(r"exposure level of (\d+\.\d)", PAGE.read_text())[1]
        status, said = analyze("security", "--offline=yes", "--threshold=20", UNITS / "trackd.service")
        self.assertEqual(status, 0, said)
        self.assertIn(f"Overall exposure level for trackd.service: {told} ", said)

    def test_trackd_makes_no_system_call_that_they_forbid(self):
        listed = service()["SystemCallFilter"]
        self.assertEqual(listed, ["@system-service", "~@privileged"])
        allowed = calls_in("@system-service") - calls_in("@privileged")
        self.assertIn("read", allowed)
        allowed |= {"fchown"}  # SQLite makes it as root, whom the tests may run as, and trackd.service is not
        trace = self.empty_directory() / "trace"
        sinks = ['{name="a",kind="sqlite"}', '{name="b",kind="file",compress="zstd"}']
        for kind, setting in (("http", 'url="http://127.0.0.1:1/"'), ("kafka", 'brokers="127.0.0.1:1"'),
                              ("postgres", 'connection="host=127.0.0.1 port=1"')):
            if kind in trackd.run("--version").stdout:
                sinks.append(f'{{name="{kind}",kind="{kind}",{setting}}}')
        settings = {"sinks": f"[{','.join(sinks)}]", "shutdown.drain_timeout": "1s"}
        daemon = self.start(settings, **strace.record("all", trace))
        self.post_numbers(daemon, 1, 100)
        daemon.signal(1)
        daemon.log.wait_for("^SIGHUP: the keys are as they were")
        daemon.stop()
        made = re.findall(r"^\d+ +(?:<\.\.\. )?(\w+)(?:\(| resumed)", trace.read_text(), re.MULTILINE)
        self.assertIn("fdatasync", made)
        self.assertEqual(set(made) - allowed, set())
        self.assertNotRegex(trace.read_text(), r"PROT_WRITE\|PROT_EXEC")  # MemoryDenyWriteExecute


class WhatTrackdSays(trackd.TestCase):
    TOKEN = "/etc/trackd/admin-token"  # which the package makes

    def configuration(self):
        """What is installed, with a token that is there."""
        place = self.empty_directory()
        (place / "admin-token").write_text("0123456789abcdef-right\n")
        text = (UNITS / "trackd.toml").read_text()
        self.assertEqual(text.count(f"${{file:{self.TOKEN}}}"), 1)
        (place / "trackd.toml").write_text(text.replace(self.TOKEN, str(place / "admin-token")))
        return place / "trackd.toml"

    def test_what_is_installed_shows_no_events_without_the_token(self):
        daemon = self.start({"http.listen": "127.0.0.1:0"}, file=self.configuration().read_text())
        self.assertEqual(daemon.ask("/events/tail").status, 401)
        self.assertEqual(daemon.ask("/status", Authorization="Bearer 0123456789abcdef-right").status, 200)
        daemon.stop()

    def test_the_time_to_stop_is_said_twice_and_fits_what_is_installed(self):
        values = service()
        (allowed,) = values["TimeoutStopSec"]
        self.assertEqual(values["Environment"], [f"TRACKD_STOP_TIMEOUT={allowed}"])
        asked = trackd.run("check", "--config", self.configuration(), environment={"TRACKD_STOP_TIMEOUT": allowed})
        self.assertEqual((asked.returncode, asked.stderr), (0, ""))

    def test_check_warns_where_the_time_to_stop_is_too_short(self):
        asked = trackd.run("check", "--set", "shutdown.drain_timeout=30s", "--config", self.configuration(),
                           environment={"TRACKD_STOP_TIMEOUT": "30s"})
        self.assertEqual(asked.returncode, 0)
        self.assertIn('TRACKD_STOP_TIMEOUT: found "30s", expected more than "34s"', asked.stderr)

    def test_what_is_installed_listens_where_the_socket_unit_does(self):
        settings = tomllib.loads(trackd.run("config", "--config", self.configuration()).stdout)
        name = re.search("^FileDescriptorName=(.*)$", (UNITS / "trackd.socket").read_text(), re.MULTILINE)[1]
        self.assertEqual(settings["http"]["listen"], f"systemd:{name}")
        self.assertEqual(settings["data_dir"], "/var/lib/" + service()["StateDirectory"][0])
