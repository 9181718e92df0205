"""A wall clock that is 400 days ahead for a moment, or is set back: what measures, deletes and stamps by it.

The table `Clock jumps` of docs/reliability.md has what is expected.
"""
import email.utils
import json
import time

from support import trackd
from support.http_target import HttpTarget
from support.ports import free_ports
from support.shifted_clock import DAYS_400, ShiftedClock

HOUR = 3600


def milliseconds_in(uuid):
    return int(uuid[:8] + uuid[9:13], 16)


class ClockJumps(trackd.TestCase):
    def setUp(self):
        self.clock = ShiftedClock(self)

    def start_with(self, *sinks, settings=None):
        return self.start({"sinks": f"[{','.join(sinks)}]", **(settings or {})}, environment=self.clock.environment)

    def post_one(self, daemon):
        """An event without an id."""
        self.assertEqual(daemon.post({"data": 1}).status, 201)

    def test_the_lag_of_a_sink_is_measured_by_another_clock(self):
        port, = free_ports(1)
        daemon = self.start_with(f'{{name="down",kind="http",url="http://127.0.0.1:{port}/"}}')
        began = time.monotonic()
        self.post_one(daemon)
        trackd.wait_until(lambda: daemon.sink("down")["failing"], "the sink fails")
        for jump in (DAYS_400, 0, -HOUR, -DAYS_400, HOUR, 0):
            self.clock.set(jump)
            self.post_one(daemon)
            sink = daemon.sink("down")
            self.assertLessEqual(sink["lag_seconds"], time.monotonic() - began + 1, f"with a jump of {jump} s")
            self.assertGreaterEqual(sink["lag_seconds"], 0)
        self.assertEqual(daemon.sink("down")["pending"], 7)

    def test_closed_files_keep_their_order_and_the_newest_are_kept(self):
        daemon = self.start_with('{name="f",kind="file",path="{data_dir}/events.jsonl",rotate_bytes=1,rotate_every="24h",'
                                 'keep_files=4}')
        posted = 0
        for jump in (0, DAYS_400, DAYS_400, 0, -HOUR, 0):
            self.clock.set(jump)
            self.post_numbers(daemon, posted, 1)
            posted += 1
            daemon.wait_until_delivered()
        directory = daemon.directory / "data"
        found = [json.loads(line)["id"] for line in trackd.lines(directory, "events-*.jsonl")]
        self.assertEqual(found, ["e-1", "e-2", "e-3", "e-4"], "closed ones; the oldest was removed, the newest is in use")
        daemon.log.wait_for("a closed file has a name from the future")

    def test_a_clock_that_is_ahead_for_a_moment_closes_no_file_by_its_age(self):
        daemon = self.start_with('{name="f",kind="file",path="{data_dir}/events.jsonl",rotate_every="24h"}')
        for number, jump in enumerate((0, DAYS_400, 0, -DAYS_400, 0)):
            self.clock.set(jump)
            self.post_numbers(daemon, number, 1)
            daemon.wait_until_delivered()
        self.assertEqual(list((daemon.directory / "data").glob("events-*.jsonl")), [])

    def test_ids_follow_the_clock_back_and_rise_over_an_hour(self):
        daemon = self.start_with('{name="f",kind="file",path="{data_dir}/events.jsonl"}')
        connection = self.connect(daemon)  # each thread makes ids of its own
        for jump in (0, DAYS_400, 0, -HOUR, 0):
            self.clock.set(jump)
            self.assertEqual(connection.request("POST", "/events", b'{"data":1}', Content_Type="application/json").status, 201)
        daemon.wait_until_delivered()
        ids = [json.loads(line)["id"] for line in trackd.lines(daemon.directory / "data")]
        right, ahead, mended, behind, last = map(milliseconds_in, ids)
        self.assertGreater(ahead - right, (DAYS_400 - HOUR) * 1000)
        self.assertLess(mended - right, HOUR * 1000)
        self.assertGreaterEqual(behind, mended)
        self.assertGreaterEqual(last, behind)
        self.assertEqual(len(set(ids)), 5)
        self.assertLess(ids[2], ids[3])
        self.assertLess(ids[3], ids[4])

    def test_answers_are_dated_by_the_clock_and_the_start_of_the_process_stays(self):
        daemon = self.start_with('{name="n",kind="null"}')

        def started():
            text = daemon.ask("/metrics").body.decode()
            return float(next(line for line in text.splitlines() if line.startswith("process_start_time_seconds ")).split()[1])

        before = started()
        for jump in (DAYS_400, -HOUR, 0):
            self.clock.set(jump)
            self.post_one(daemon)
            self.assertEqual(started(), before)
            answer = daemon.post({"data": 1})
            date = email.utils.parsedate_to_datetime(answer.header("date")).timestamp()
            self.assertAlmostEqual(date, time.time() + jump, delta=trackd.PATIENCE)
        self.assertEqual(daemon.stop().delivered, 6)

    def test_the_uptime_does_not_jump(self):
        daemon = self.start_with('{name="n",kind="null"}')
        begun = daemon.status()["uptime_seconds"]
        self.clock.set(DAYS_400)
        self.assertLess(daemon.status()["uptime_seconds"], begun + trackd.PATIENCE)
        self.clock.set(-DAYS_400)
        self.assertGreaterEqual(daemon.status()["uptime_seconds"], begun)

    def test_a_server_that_says_when_to_come_again_is_asked_then(self):
        """By its own clock, whose time stands in the answer."""
        target = HttpTarget.start(self)
        for jump in (-20 * 60, DAYS_400):
            self.clock.set(jump)
            target.answer(503, Retry_After=email.utils.formatdate(time.time() + 1800, usegmt=True))
            daemon = self.start_with(f'{{name="http",kind="http",url="{target.url}"}}',
                                     settings={"shutdown.drain_timeout": "60s"})
            self.post_one(daemon)
            self.assertRegex(self.error_of(daemon, "http", "answered 503"), r"answered 503; not before 1[5-8]\d\d s")
            self.assertEqual(daemon.stop().delivered, 1)
