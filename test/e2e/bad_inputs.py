"""Every line of test/bad-inputs.jsonl, sent to the real daemon byte for byte: framing (ids A to F), and what builds on
it (G, I).

A line has `raw` (a list of [hex, times]), `half_close` (the client shuts down its sending side after the bytes), and
`expect`: the status (`/` = either, `,` = answers in order, `-` = none), then `close` = answered and closed in good
order, `keep` = the connection works on, or `any`. Besides, exactly what was answered 201 may be stored.
"""
import json
import pathlib
import shutil
import tempfile
import unittest

from support import tls, trackd

TABLE = trackd.ROOT / "test" / "bad-inputs.jsonl"
# The answers of the server that are no fault of its own.
DELIBERATE_5XX = {501, 505}
TWO_OBJECTS = ("I26-batch-mixed", "I05-two-docs")  # in an array, and one behind the other: both are events


def lines():
    return [json.loads(line) for line in TABLE.read_text().splitlines() if line.strip()]


class BadInputs(trackd.TestCase):
    @classmethod
    def setUpClass(cls):
        if not TABLE.exists():
            raise unittest.SkipTest(f"{TABLE} is not there")
        cls.daemon = trackd.Daemon(
            {"http.max_body_bytes": "1MiB", "http.head_timeout": "1s", "http.body_timeout": "1s", **cls.listener()})
        cls.addClassCleanup(cls.daemon.kill)

    @classmethod
    def listener(cls):
        """What is special about the listener."""
        return {}

    def test_the_table(self):
        table = lines()
        self.assertGreater(len(table), 100)
        for case in table:
            with self.subTest(id=case["id"], why=case["why"]):
                before = self.accepted()
                answers = self.play(case)
                events = 2 if case["id"] in TWO_OBJECTS else 1
                self.assertEqual(self.accepted() - before, events * answers.count(201), "events stored")
        self.assertEqual(self.daemon.request("GET", "/healthz").status, 200)
        self.assertEqual(self.daemon.status()["http"]["handler_errors"], 0)
        print(f"{len(table)} inputs", flush=True)

    def accepted(self):
        return self.daemon.status()["tracker"]["accepted"]

    def play(self, case):
        """Sends the bytes, checks the answers, and returns their status codes."""
        wanted, _, ending = case["expect"].partition(" ")
        wanted = [] if wanted == "-" else [[int(code) for code in one.split("/")] for one in wanted.split(",")]
        with self.daemon.connect() as connection:
            connection.send_and_hear(b"".join(bytes.fromhex(text) * times for text, times in case["raw"]))
            if case.get("half_close"):
                connection.half_close()
            got = self.hear(connection, wanted, "HEAD" if case["raw"][0][0].startswith(b"HEAD ".hex()) else "POST")
            self.assertEqual(len(got), len(wanted), f"answers {got}, expected {case['expect']}")
            for code, allowed in zip(got, wanted):
                self.assertIn(code, allowed, f"answers {got}, expected {case['expect']}")
                self.assertTrue(code < 500 or code in DELIBERATE_5XX)
            if ending == "keep":
                self.assertEqual(connection.request("GET", "/healthz").status, 200, "the connection works on")
            elif ending == "close":
                self.assertTrue(connection.ended(), "closed after the answer")
        return got

    def hear(self, connection, wanted, method):
        got = []
        while len(got) < len(wanted):
            answer = connection.response(method)
            if answer is None:
                break
            if answer.status >= 400:
                self.assertEqual(answer.header("content-type"), "application/problem+json")
            got += [*answer.interim, answer.status]
        return got


class BadInputsThroughTls(BadInputs):
    @classmethod
    def listener(cls):
        place = pathlib.Path(tempfile.mkdtemp(prefix="trackd-test-"))
        cls.addClassCleanup(shutil.rmtree, place, ignore_errors=True)
        certificate, key = tls.certificate(place)
        return {"http.tls.certificate": certificate, "http.tls.key": key}


class BadInputsThroughAFile(BadInputs):
    @classmethod
    def listener(cls):
        place = pathlib.Path(tempfile.mkdtemp(prefix="trackd-test-"))
        cls.addClassCleanup(shutil.rmtree, place, ignore_errors=True)
        return {"http.listen": f"unix:{place}/ingest.sock"}
