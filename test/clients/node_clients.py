"""Client libraries as they come from their makers: what they report as sent is stored, once, as they sent it."""
import json
import pathlib
import shutil
import subprocess
import unittest
import urllib.parse

from support import trackd

HERE = pathlib.Path(__file__).resolve().parent
COUNT = 25


def installed():
    return shutil.which("node") and (HERE / "node_modules").is_dir()


@unittest.skipUnless(installed(), "the libraries are not there: scripts/test-clients installs them")
class NodeClients(trackd.TestCase):
    def run_client(self, script, *arguments):
        """Runs it to its end, and returns what it reports as delivered; nothing may have failed."""
        done = subprocess.run(
            ["node", HERE / script, *map(str, arguments)], capture_output=True, text=True, timeout=4 * trackd.PATIENCE,
            check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        report = json.loads(done.stdout.splitlines()[-1])
        self.assertEqual(report["failed"], [], done.stderr)
        return report["delivered"]

    def stored(self, daemon, count):
        """The rows by id: as many as were delivered, each once."""
        rows = {row["id"]: row for row in daemon.rows(count)}
        self.assertEqual(len(rows), count)
        self.assertEqual(daemon.stop().accepted, count)
        return rows

    def host(self, daemon):
        return "http://{}:{}".format(*daemon.ingest)

    def test_segment_analytics_node(self):
        daemon = self.start()
        delivered = self.run_client("segment.mjs", self.host(daemon), "write-key", COUNT)
        self.assertEqual(len(delivered), 6 * COUNT)
        rows = self.stored(daemon, len(delivered))
        for event in delivered:
            data = json.loads(rows[event["messageId"]]["data"])
            for name in ("type", "userId", "anonymousId", "event", "name", "properties", "traits", "groupId", "previousId"):
                if event.get(name) is not None:
                    self.assertEqual(data.get(name), event[name], event["type"])

    def test_rudderstack_node(self):
        daemon = self.start()
        delivered = self.run_client("rudderstack.mjs", self.host(daemon), "write-key", COUNT)
        self.assertEqual(len(delivered), 4 * COUNT)
        rows = self.stored(daemon, len(delivered))
        for event in delivered:
            data = json.loads(rows[event["messageId"]]["data"])
            for name in ("type", "userId", "anonymousId", "event", "name", "properties", "traits", "groupId"):
                if event.get(name) is not None:
                    self.assertEqual(data.get(name), event[name], event["type"])

    def test_the_cloudevents_sdk(self):
        daemon = self.start()
        delivered = self.run_client("cloudevents.mjs", urllib.parse.urljoin(self.host(daemon), "/events"), COUNT)
        self.assertEqual(len(delivered), 2 * COUNT)
        rows = self.stored(daemon, len(delivered))
        for event in delivered:
            row = rows[event["id"]]
            self.assertEqual((row["source"], row["type"], row["subject"]),
                             (event["source"], event["type"], event["subject"]))
            self.assertEqual(json.loads(row["data"]), event["data"])
            extensions = json.loads(row["extensions"])
            self.assertEqual(extensions["comexampleextension"], event["comexampleextension"])
            self.assertEqual(int(extensions["sampledrate"]), event["sampledrate"])


if __name__ == "__main__":
    unittest.main()
