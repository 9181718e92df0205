"""Clients of analytics services that send one odd call, repeat a body after an outage, or meet a sink that is down."""
import datetime
import json
import re

from support import trackd
from support.ports import free_ports
from support.shifted_clock import ShiftedClock

GOOD = '{"type":"page","userId":"u","messageId":"%s"}'


def nested(depth):
    return '{"type":"page","userId":"u","properties":{"a":' + "[" * depth + "]" * depth + "}}"


class OddCalls(trackd.TestCase):
    def post_batch(self, daemon, calls):
        return daemon.post('{"batch":[' + ",".join(calls) + "]}", path="/v1/batch")

    def test_the_other_calls_of_the_batch_are_stored_and_the_odd_ones_are_shown(self):
        daemon = self.start()
        odd = ['{"type":"page","userId":"u","x":NaN}', nested(140), '{"type":"page"}', "7"]
        answer = self.post_batch(daemon, [GOOD % "before", *odd, GOOD % "after"])
        self.assertEqual(answer.status, 200)
        self.assertEqual({rejection["index"]: rejection["code"] for rejection in answer.json()["rejections"]},
                         {1: "invalid_json", 2: "json_depth", 3: "no_user", 4: "invalid_event"})
        self.assertEqual(answer.json()["rejected"], 4)
        self.assertEqual({row["id"] for row in daemon.rows(2)}, {"before", "after"})
        counted = {"invalid_json": 1, "json_depth": 1, "no_user": 1, "invalid_event": 1, "event_too_large": 0}
        self.assertEqual(daemon.status()["rejected_calls"], counted)
        self.assertIn("calls          rejected: 1 invalid_json, 1 json_depth, 1 invalid_event, 1 no_user\n",
                      daemon.command("status").stdout)
        metrics = daemon.ask("/metrics").body.decode()
        found = re.findall(r'^trackd_calls_rejected_total\{reason="(\w+)"\} (\d+)', metrics, re.MULTILINE)
        self.assertEqual({reason: int(count) for reason, count in found}, counted)
        daemon.log.wait_for(r'rejected 4 call\(s\) of a batch, path="/v1/batch" key="none" reason=invalid_json')
        self.assert_books_balance(daemon.status())

    def test_a_call_whose_attributes_or_text_are_odd_is_stored(self):
        daemon = self.start()
        long_name = "x" * 2000
        calls = ['{"type":"track","event":"cut \\ud83d","userId":"u","messageId":"half"}',
                 '{"type":"track","event":"a\\nb","userId":"c\\u0000d","messageId":"control"}',
                 '{"type":"track","event":"%s","userId":"%s","messageId":"long"}' % (long_name, long_name)]
        answer = self.post_batch(daemon, calls)
        self.assertEqual((answer.status, answer.json()), (200, {"success": True}))
        rows = {row["id"]: row for row in daemon.rows(3)}
        self.assertEqual(rows["half"]["type"], "cut \ufffd")
        self.assertEqual(json.loads(rows["half"]["data"])["event"], "cut \ufffd")
        self.assertEqual((rows["control"]["type"], rows["control"]["subject"]), ("a b", "c d"))
        self.assertEqual(rows["control"]["data"], calls[1])
        self.assertEqual((rows["long"]["type"], rows["long"]["subject"]), (long_name[:1024], long_name[:1024]))
        self.assertEqual(json.loads(rows["long"]["data"])["userId"], long_name)

    def test_our_own_paths_stay_strict(self):
        daemon = self.start()
        for event in ('{"type":"a\\nb","data":1}', '{"data":"\\ud83d"}', '{"data":NaN}'):
            self.assertIn(daemon.post(f'[{{"data":1}},{event}]').status, (400, 422), event)
        self.assertEqual(daemon.status()["tracker"]["accepted"], 0)


class Retries(trackd.TestCase):
    def test_a_body_that_is_repeated_after_an_hour_keeps_its_times(self):
        clock = ShiftedClock(self)
        daemon = self.start(environment=clock.environment)
        now = datetime.datetime.now(datetime.timezone.utc)
        said = (now - datetime.timedelta(seconds=20)).strftime("%Y-%m-%dT%H:%M:%S.%f")

        def post(message_id):
            call = {"type": "page", "userId": "u", "messageId": message_id, "timestamp": said + "Z"}
            answer = daemon.post({"sentAt": now.isoformat(), "batch": [call]}, path="/v1/batch")
            self.assertEqual(answer.status, 200)

        post("at-once")
        daemon.wait_until_delivered()
        daemon.stop()
        clock.set(3600)
        daemon = self.restart(daemon, environment=clock.environment)
        post("after-the-restart")
        clock.set(0)
        rows = {row["id"]: row for row in daemon.rows(2)}
        self.assertEqual({row["time"] for row in rows.values()}, {said + "Z"})
        self.assertGreater(rows["after-the-restart"]["received_at"], said + "Z")


class RetryAfter(trackd.TestCase):
    def test_while_a_sink_is_down_it_is_5_to_15_seconds(self):
        port, = free_ports(1)
        daemon = self.start({"sinks": f'[{{name="down",kind="http",url="http://127.0.0.1:{port}/"}}]',
                             "journal.max_bytes": '"8MiB"'})
        event = json.dumps({"data": "x" * 500_000})
        for _ in range(100):
            answer = daemon.post(event)
            if answer.status != 201:
                break
        self.assertEqual(answer.status, 503)
        waits = {int(daemon.post(event).header("retry-after")) for _ in range(50)}
        self.assertGreaterEqual(min(waits), 5)
        self.assertLessEqual(max(waits), 15)
        self.assertGreater(len(waits), 1, "clients must not return in step")
