"""A disk that fails, or takes for ever: nobody is told 201 for what may be gone, and the daemon says so and ends."""
import json
import threading

from support import strace, trackd
from support.load import Ledger
from support.raw_http import Connection

# None that calls fdatasync or pwrite itself: every fault is the journal's.
SETTINGS = {"sinks": '[{name="file",kind="file",sync=false}]', "shutdown.drain_timeout": "1m"}
WRITES = "pwrite64,pwritev"


class FailingDisk(trackd.TestCase):
    def lines(self, daemon):
        path = daemon.directory / "data" / "events.jsonl"
        return [json.loads(line)["id"] for line in path.read_text().splitlines()]

    def fail(self, calls, when):
        """Load until the disk fails; then the answers, the end, and the next start have to be right."""
        daemon = self.start(SETTINGS, **strace.inject(calls, "error=EIO", when))
        load = Ledger(daemon.ingest, connections=8).start()
        summary = daemon.wait(status=1)
        load.wait()

        self.assertEqual(set(load.answers), {201, 503}, load.outcome())
        self.assertEqual(set(load.problems) - {"journal-failed", "shutting-down"}, set(), load.outcome())
        self.assertTrue(load.problems["journal-failed"], load.outcome())
        self.assertTrue(daemon.log.find(r"(?i)journal.*(Input/output error|EIO)"), daemon.log.tail())
        self.assertEqual((summary.dead_lettered, summary.lost), (0, 0), summary)
        self.assertIn("journal", summary.reason)

        after = self.restart(daemon)
        after.wait_until_delivered()
        stored = self.lines(after)
        self.assertEqual(set(load.created) - set(stored), set(), "answered 201, and not there")
        refused = set(load.problems["shutting-down"])
        self.assertEqual(refused & set(stored), set(), "answered that nothing was stored, and there")
        repeated = (load.problems["journal-failed"] + ["new"])[0]
        self.assertEqual(after.post({"id": repeated, "data": 1}).status, 201, "what was asked for: the same id again")
        self.assert_books_balance(after.status())
        self.assertEqual(after.stop().lost, 0)
        self.assertIn(repeated, self.lines(after))

    def test_a_sync_that_fails_once(self):
        for when in (12, 40):
            with self.subTest(when=when):
                self.fail("fdatasync", when)

    def test_a_sync_that_fails_from_then_on(self):
        self.fail("fdatasync", "20+")

    def test_a_write_that_fails_once(self):
        for when in (12, 40):
            with self.subTest(when=when):
                self.fail(WRITES, when)

    def test_a_write_that_fails_from_then_on(self):
        self.fail(WRITES, "20+")

    def test_the_answer_says_what_to_do(self):
        daemon = self.start(SETTINGS, **strace.inject("fdatasync", "error=EIO", "12"))
        with daemon.connect() as connection:
            for number in range(100):
                answer = connection.request("POST", "/events", f'{{"id":"e-{number}","data":1}}')
                if answer.status != 201:
                    break
        self.assertEqual(self.assert_problem(answer, 503, "may", "same id"), "journal-failed")
        self.assertEqual(daemon.wait(status=1).lost, 0)

    def test_a_sync_that_takes_long_shows_in_readyz_and_nowhere_else(self):
        seconds = 13
        daemon = self.start(SETTINGS, **strace.inject("fdatasync", f"delay_enter={seconds * 1_000_000}", 12))
        answers = []

        def post():
            with daemon.connect() as connection:
                for number in range(40):
                    answers.append(connection.request("POST", "/events", f'{{"id":"e-{number}","data":1}}').status)

        client = threading.Thread(target=post)
        client.start()
        with Connection(daemon.ingest) as ingest, Connection(daemon.admin) as admin:
            def ready(status):
                self.assertEqual(ingest.request("GET", "/healthz").status, 200)
                self.assertEqual(admin.request("GET", "/healthz").status, 200)
                self.assertEqual(admin.request("GET", "/status").status, 200)
                return {ingest.request("GET", "/readyz").status, admin.request("GET", "/readyz").status} == {status}

            self.assertTrue(ready(200))
            trackd.wait_until(lambda: ready(503), "the slow disk shows in /readyz")
            self.assertLess(len(answers), 40, "the answers wait for the disk")
            trackd.wait_until(lambda: ready(200), "/readyz is well again")
        client.join(trackd.PATIENCE)
        self.assertEqual(answers, [201] * 40)
        self.assertEqual(daemon.stop().delivered, 40)
