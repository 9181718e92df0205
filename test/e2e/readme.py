"""README's own commands, run word for word.

Every block fenced as ```console is run, in order, by one shell each. Lines that begin with `$ ` are commands; the
lines below one are what it prints, where `…` stands for anything; without such lines the output does not matter.
A `scripts/run` without arguments is started in the background, and the next one waits until the daemon is
ready. Commands that would build or install (`scripts/test`, `git`, `cd`, `sudo`, `docker`, `podman`) are left out, and
so are blocks with any other info string.

They run in a directory that holds the checkout's config/, and a scripts/run which starts the binary under test with
the same last line as the real one, so README's ports 8080 and 8081 have to be free.
"""
import pathlib
import re
import signal
import socket
import subprocess
import tempfile

from support import trackd

README = trackd.ROOT / "README.md"
LEFT_OUT = ("scripts/test", "git ", "cd ", "sudo ", "docker ", "podman ")


def commands():
    """Pairs of a command and the lines that it prints."""
    found = []
    for block in re.findall(r"^```console\n(.*?)^```", README.read_text(), re.MULTILINE | re.DOTALL):
        continued = False
        for line in block.splitlines():
            if line.startswith("$ "):
                found.append((line[2:], []))
            elif continued:
                found[-1] = (found[-1][0] + "\n" + line, [])
            elif found:
                found[-1][1].append(line)
            continued = (continued or line.startswith("$ ")) and line.endswith("\\")
    return found


def is_free(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        return probe.connect_ex(("127.0.0.1", port)) != 0


def answers(path):
    try:
        with trackd.Connection(("127.0.0.1", 8080)) as connection:
            return connection.request("GET", path).status == 200
    except OSError:
        return False


class Readme(trackd.TestCase):
    def setUp(self):
        if not README.exists():
            self.skipTest("there is no README.md yet")
        if not (is_free(8080) and is_free(8081)):
            self.skipTest("port 8080 or 8081 is in use on this machine")
        place = tempfile.TemporaryDirectory(prefix="trackd-readme-")
        self.addCleanup(place.cleanup)
        self.root = pathlib.Path(place.name)
        (self.root / "config").symlink_to(trackd.ROOT / "config")
        (self.root / "scripts").mkdir()
        stub = self.root / "scripts" / "run"
        stub.write_text(f'#!/bin/sh\nexec "{trackd.binary()}" --config config/trackd.toml "$@"\n')
        stub.chmod(0o755)
        self.daemon = None

    def test_every_command_works_as_it_is_written(self):
        found = [(line, shown) for line, shown in commands() if not line.startswith(LEFT_OUT)]
        self.assertTrue(any(line.startswith("scripts/run") for line, _ in found), "README starts no daemon")
        self.assertTrue(any("curl" in line for line, _ in found), "README posts no event")
        for line, shown in found:
            with self.subTest(command=line):
                self.run_command(line, shown)
        self.daemon.send_signal(signal.SIGTERM)
        self.assertEqual(self.daemon.wait(trackd.PATIENCE), 0, "exit status after SIGTERM")

    def run_command(self, line, shown):
        environment = {**trackd.clean_environment(), "no_proxy": "*"}
        if line.rstrip(" &") == "scripts/run":
            command = line.rstrip(" &")
            self.daemon = subprocess.Popen(command.split(), cwd=self.root, env=environment,
                                           stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            self.addCleanup(self.end_daemon, self.daemon)
            trackd.wait_until(lambda: answers("/readyz") or self.daemon.poll() is not None, "the daemon is ready")
            self.assertIsNone(self.daemon.poll(), "the daemon ended")
            return

        def attempt():  # a row may be on its way still
            done = subprocess.run(["bash", "-c", line], cwd=self.root, env=environment, text=True,
                                  capture_output=True, timeout=trackd.PATIENCE, stdin=subprocess.DEVNULL)
            if done.returncode == 127:
                self.skipTest(f"not installed here: {done.stderr.strip()}")
            self.last = done
            return done.returncode == 0 and matches(shown, done.stdout)

        retriable = not re.search(r"\bcurl\b.*( -d| --data| -X| -T)", line)
        try:
            trackd.wait_until(attempt, f"{line} prints what README shows", 10 if retriable else 0)
        except AssertionError as error:
            raise AssertionError(f"{error}\nexit status {self.last.returncode}\nprinted:\n{self.last.stdout}"
                                 f"{self.last.stderr}\nREADME shows:\n" + "\n".join(shown)) from None

    def end_daemon(self, process):
        if process.poll() is None:
            process.kill()
        process.wait()


def matches(shown, printed):
    if not any(shown):
        return True
    pattern = ".*".join(re.escape(part) for part in "\n".join(shown).strip().split("…"))
    return re.fullmatch(pattern, printed.replace("\r\n", "\n").strip(), re.DOTALL) is not None
