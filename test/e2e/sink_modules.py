"""The sinks that need a library of their own: loaded when the configuration names one, and what is said if that fails."""
import os
import pathlib
import re
import shutil
import subprocess

from support import trackd
from support.ports import free_port

# Each with a server that does not answer, which keeps no daemon from starting, and the library that it needs.
SINKS = {
    "http": ('kind="http",url="http://127.0.0.1:{port}"', "libcurl"),
    "kafka": ('kind="kafka",brokers=["127.0.0.1:{port}"],topic="events"', "librdkafka"),
    "postgres": ('kind="postgres",connection="host=127.0.0.1 port={port} dbname=events"', "libpq"),
}
BUILD = re.compile(rb"trackd \d+\.\d+\.\d+ [0-9a-f]{16}")


def sink(kind):
    """As `sinks` takes it."""
    return f'[{{name="far",{SINKS[kind][0].format(port=free_port())}}}]'


def modules():
    """Those of the binary that is tested, by their kinds."""
    folder = pathlib.Path(trackd.binary()).parents[1] / "lib" / "trackd"
    return {path.stem.removeprefix("trackd-"): path for path in folder.glob("trackd-*.so")}


class Loading(trackd.TestCase):
    def loaded(self, daemon):
        """Which of the modules, and of their libraries, the daemon has."""
        files = {pathlib.Path(line.split(maxsplit=5)[5].strip()).name
                 for line in pathlib.Path(f"/proc/{daemon.pid}/maps").read_text().splitlines() if "/" in line}
        known = [f"trackd-{kind}.so" for kind in SINKS] + [library + ".so" for _, library in SINKS.values()]
        return {name for name in known if any(file.startswith(name) for file in files)}

    def test_a_default_configuration_needs_none(self):
        self.assertEqual(self.loaded(self.start()), set())

    def test_a_sink_has_its_own_and_no_other(self):
        for kind in modules():
            with self.subTest(kind=kind):
                daemon = self.start({"sinks": sink(kind)})
                self.assertEqual(self.loaded(daemon), {f"trackd-{kind}.so", SINKS[kind][1] + ".so"})
                daemon.kill()


class Trouble(trackd.TestCase):
    def setUp(self):
        place = self.empty_directory()
        self.binary = place / "bin" / "trackd"
        self.binary.parent.mkdir()
        shutil.copy(trackd.binary(), self.binary)
        self.modules = place / "lib" / "trackd"
        self.modules.mkdir(parents=True)
        self.data = place / "data"

    def run_there(self, *arguments):
        return subprocess.run([self.binary, *arguments], capture_output=True, text=True, timeout=trackd.PATIENCE,
                              env=trackd.clean_environment(), check=False)

    def assert_refused(self, kind, *parts, commands=("check",)):
        """One line from each command, with the sink, the file, and what to do."""
        settings = ["--config", os.devnull, "--set", f"data_dir={self.data}", "--set", f"sinks={sink(kind)}",
                    "--set", "http.listen=127.0.0.1:0", "--set", "admin.listen=127.0.0.1:0"]
        for command in commands:
            done = self.run_there(command, *settings)
            lines = [line for line in done.stderr.splitlines() if "sink far" in line]
            self.assertEqual((done.returncode, len(lines)), (2, 1), done)
            for part in (f'kind "{kind}"', str(self.modules / f"trackd-{kind}.so"), "expected", *parts):
                self.assertIn(part, lines[0])

    def test_one_that_is_missing(self):
        for kind in SINKS:
            with self.subTest(kind=kind):
                self.assert_refused(kind, "cannot be loaded", "No such file or directory", commands=("check", "serve"))

    def test_each_sink_whose_module_is_missing_is_named_at_once(self):
        sinks = ",".join(f'{{name="{kind}-1",{options.format(port=1)}}}' for kind, (options, _) in SINKS.items())
        done = self.run_there("check", "--config", os.devnull, "--set", f"sinks=[{sinks}]")
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertEqual([line.split(":")[0] for line in done.stderr.splitlines()], [f"sink {kind}-1" for kind in SINKS])

    def test_a_daemon_whose_sinks_need_none_misses_none(self):
        done = self.run_there("check", "--config", os.devnull)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("sinks: file, log, null, sqlite\n", self.run_there("--version").stdout)

    def test_one_of_another_build(self):
        for kind, path in modules().items():
            with self.subTest(kind=kind):
                code = path.read_bytes()
                (own,) = set(BUILD.findall(code))
                other = own[:-16] + b"0123456789abcdef"
                (self.modules / path.name).write_bytes(code.replace(own, other))
                self.assert_refused(kind, "of another build", other.decode(), own.decode())

    def test_a_file_that_is_none(self):
        for content in ("", "a text"):
            with self.subTest(content=content):
                (self.modules / "trackd-http.so").write_text(content)
                self.assert_refused("http", "cannot be loaded")

    def test_one_of_another_kind(self):
        kinds = sorted(modules())
        if len(kinds) < 2:
            self.skipTest("this build has less than two modules")
        shutil.copy(modules()[kinds[0]], self.modules / f"trackd-{kinds[1]}.so")
        self.assert_refused(kinds[1], "which is none")
