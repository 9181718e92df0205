"""A part of the daemon dies: the whole of it drains and says so, rather than living on half dead."""
import ctypes
import os
import socket
import unittest

from support import trackd

PIDFD_OPEN, PIDFD_GETFD = 434, 438


def listening_socket(pid, address):
    """A copy of the socket on which another process listens at this address."""
    system_call = ctypes.CDLL(None, use_errno=True).syscall
    process = system_call(PIDFD_OPEN, pid, 0)
    if process < 0:
        raise unittest.SkipTest("this kernel has no pidfd_open")
    try:
        for name in os.listdir(f"/proc/{pid}/fd"):
            copy = system_call(PIDFD_GETFD, process, int(name), 0)
            if copy < 0:
                raise unittest.SkipTest(f"pidfd_getfd is not permitted: {os.strerror(ctypes.get_errno())}")
            if not os.readlink(f"/proc/self/fd/{copy}").startswith("socket:"):
                os.close(copy)
                continue
            found = socket.socket(fileno=copy)
            listens = found.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
            if listens and found.getsockname() == address:
                return found
            found.close()
    finally:
        os.close(process)
    raise AssertionError(f"process {pid} does not listen on {address}")


class FailedPart(trackd.TestCase):
    def assert_drains_when_this_listener_dies(self, part, address, daemon):
        for n in range(20):
            self.assertEqual(daemon.post({"id": f"event-{n}", "data": n}).status, 201)
        with listening_socket(daemon.pid, address) as listener:
            listener.shutdown(socket.SHUT_RDWR)
        summary = daemon.wait(status=1)
        self.assertIn(part, summary.reason)
        self.assertEqual((summary.accepted, summary.delivered, summary.lost), (20, 20, 0))
        self.assertEqual(daemon.count(), 20)

    def test_when_the_ingest_listener_dies_the_daemon_drains_and_exits_1(self):
        daemon = self.start()
        self.assert_drains_when_this_listener_dies("ingest listener", daemon.ingest, daemon)

    def test_when_the_admin_listener_dies_the_daemon_drains_and_exits_1(self):
        daemon = self.start()
        self.assert_drains_when_this_listener_dies("admin listener", daemon.admin, daemon)
