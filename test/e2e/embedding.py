"""The example in docs/examples: a server of somebody else's with our tracker inside."""
import os
import re
import signal
import socket
import subprocess
import unittest


class Embedding(unittest.TestCase):
    def test_a_server_with_a_tracker_inside_tracks_drains_and_reports(self):
        server = subprocess.Popen([os.environ["LINE_SERVER"], "0"], stdout=subprocess.PIPE, text=True)
        self.addCleanup(server.stdout.close)
        self.addCleanup(lambda: server.poll() is None and server.kill())
        address = re.fullmatch(r"listening on 127.0.0.1:(\d+)\n", server.stdout.readline())
        with socket.create_connection(("127.0.0.1", int(address[1])), timeout=60) as client:
            answers = client.makefile("rw", newline="\n")
            for line in ("one", "two", "three"):
                answers.write(line + "\n")
                answers.flush()
                self.assertEqual(answers.readline(), "ok\n")
            server.send_signal(signal.SIGTERM)
            self.assertEqual(client.recv(1), b"", "the connection is closed")
        printed, _ = server.communicate(timeout=60)
        self.assertEqual(printed.splitlines(), ["1: one", "2: two", "3: three", "delivered=3 lost=0"])
        self.assertEqual(server.returncode, 0)
