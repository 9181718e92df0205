"""As process 1 of a container without an init, SIGTERM drains: the kernel sends process 1 no signal that it has not
asked for."""
import pathlib
import shutil
import subprocess

from support import trackd
from support.raw_http import request_bytes

WRAPPER = ("unshare", "--fork", "--pid", "--kill-child")


class PidOne(trackd.TestCase):
    def setUp(self):
        if not shutil.which(WRAPPER[0]):
            self.skipTest("unshare is not installed")
        if subprocess.run([*WRAPPER, "true"], capture_output=True).returncode != 0:
            self.skipTest("no permission for a process namespace")

    def test_sigterm_drains(self):
        daemon = self.start(wrapper=WRAPPER)
        unshare = daemon.process.pid
        daemon.pid = int(pathlib.Path(f"/proc/{unshare}/task/{unshare}/children").read_text())
        inside = pathlib.Path(f"/proc/{daemon.pid}/status").read_text().split("NSpid:")[1].split("\n")[0].split()
        self.assertEqual(inside[-1], "1")
        with daemon.connect() as connection:
            for number in range(100):
                connection.send(request_bytes("POST", "/events", f'{{"id":"e-{number}","data":1}}'))
            for _ in range(100):
                self.assertEqual(connection.response().status, 201)
        self.assertEqual(daemon.stop()[:6], ("SIGTERM", 100, 100, 0, 0, 0))
        self.assertEqual(len(daemon.ids()), 100)
