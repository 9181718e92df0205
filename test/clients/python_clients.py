"""Segment's library for Python: it has its key in the body only, and sends again after an error that it cannot read."""
import json
import os
import pathlib
import subprocess
import sys
import unittest

from support import trackd

HERE = pathlib.Path(__file__).resolve().parent
MODULES = HERE / "python_modules"
COUNT = 25


@unittest.skipUnless(MODULES.is_dir(), "the library is not there: scripts/test-clients installs it")
class SegmentPython(trackd.TestCase):
    def start_with_key(self, **settings):
        done = trackd.run("key", "new", "web")
        self.assertEqual(done.returncode, 0, done)
        self.key = next(word for word in done.stdout.split() if word.startswith("trk_"))
        return self.start(
            {name.replace("__", "."): value for name, value in settings.items()},
            file=done.stdout[done.stdout.index("[[keys]]"):])

    def run_client(self, daemon, key, *arguments):
        done = subprocess.run(
            [sys.executable, HERE / "segment_client.py", "http://{}:{}".format(*daemon.ingest), key, *arguments],
            env={**os.environ, "PYTHONPATH": str(MODULES)}, capture_output=True, text=True,
            timeout=4 * trackd.PATIENCE, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout.splitlines()[-1])

    def test_what_it_sends_is_stored_once_with_the_name_of_its_key(self):
        for gzip in ([], ["gzip"]):
            with self.subTest(gzip=gzip):
                daemon = self.start_with_key()
                report = self.run_client(daemon, self.key, str(COUNT), *gzip)
                self.assertEqual((report["given_up"], len(report["sent"])), ([], 6 * COUNT))
                rows = {row["id"]: row for row in daemon.rows(6 * COUNT)}
                self.assertEqual({row["source"] for row in rows.values()}, {"web"})
                for message in report["sent"]:
                    data = json.loads(rows[message["messageId"]]["data"])
                    for name in ("type", "userId", "event", "name", "properties", "traits", "groupId", "previousId"):
                        self.assertEqual(data.get(name), message.get(name), message["type"])
                self.assertEqual(daemon.stop().accepted, 6 * COUNT)

    def test_a_wrong_key_is_given_up_at_once(self):
        daemon = self.start_with_key()
        before = daemon.status()["http"]["requests"]
        report = self.run_client(daemon, "another", "1")
        self.assertEqual(report["given_up"], [{"status": 401, "code": "unauthorized"}])
        self.assertEqual(daemon.status()["http"]["requests"] - before, 2, "its only one, and this question")
        self.assertEqual(daemon.stop().accepted, 0)

    def test_a_body_too_large_is_given_up_at_once(self):
        daemon = self.start_with_key(http__max_body_bytes="1KiB")
        report = self.run_client(daemon, self.key, "1")
        self.assertEqual(report["given_up"], [{"status": 400, "code": "payload_too_large"}])
        self.assertEqual(daemon.status()["http"]["rejected"], 1, "it came once")
        self.assertEqual(daemon.stop().accepted, 0)


if __name__ == "__main__":
    unittest.main()
