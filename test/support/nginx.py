"""A real nginx on loopback, with a directory of its own."""
import pathlib
import shutil
import subprocess
import tempfile
import unittest

from support.raw_http import Connection
from support.trackd import wait_until

PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
# So that all that it writes stays where it runs.
TEMPORARY = "".join(f"    {kind}_temp_path {kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))


def configuration(http):
    """One process in the foreground, with this in its `http` block."""
    return ("daemon off;\nmaster_process off;\npid nginx.pid;\nerror_log stderr;\nevents {}\n"
            f"http {{\n{TEMPORARY}{http}}}\n")


def program():
    """Its path; skips the test where it is not installed."""
    found = shutil.which("nginx", path=PATH)
    if not found:
        raise unittest.SkipTest("nginx is not installed: scripts/install-deps test")
    return found


class Nginx:
    """Runs with this configuration until `close`; `address` is where it says that it listens."""

    def __init__(self, configuration, address):
        self.address = address
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="trackd-nginx-"))
        (self.directory / "nginx.conf").write_text(configuration)
        self.log = self.directory / "log"
        # As root it would give its workers to a user who may not look into this directory.
        user = "user root; " if pathlib.Path("/proc/self").stat().st_uid == 0 else ""
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [program(), "-p", ".", "-e", "stderr", "-c", "nginx.conf", "-g", f"{user}daemon off; error_log stderr;"],
                cwd=self.directory, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            wait_until(self._answers, "nginx answers")
        except BaseException:
            self.close()
            raise

    def _answers(self):
        if self.process.poll() is not None:
            raise AssertionError(f"nginx ended:\n{self.log.read_text()}")
        try:
            with Connection(self.address) as connection:
                return connection.request("GET", "/healthz").status == 200
        except (OSError, AssertionError):  # it does not listen yet, or finds nobody behind it
            return False

    def close(self):
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait()
        shutil.rmtree(self.directory, ignore_errors=True)
