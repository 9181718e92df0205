"""What a newcomer does first: post an event in one of the formats, and find it in the database."""
import json
import subprocess

from support import trackd

UUID7 = r"^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"
TIME = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$"
COLUMNS = ["id", "source", "type", "time", "received_at", "subject", "datacontenttype", "data", "extensions"]


class FirstSteps(trackd.TestCase):
    def setUp(self):
        self.daemon = self.start()

    def accept(self, answer, count=1):
        self.assertEqual(answer.status, 201, answer)
        self.assertEqual(answer.json(), {"accepted": count})
        return self.daemon.rows(count)

    def curl(self, *arguments, path="/events"):
        host, port = self.daemon.ingest
        command = ["curl", "-sS", "--noproxy", "*", *arguments, f"http://{host}:{port}{path}"]
        return subprocess.run(command, capture_output=True, text=True, timeout=trackd.PATIENCE, check=True).stdout

    def test_curl_d_stores_a_row_with_all_columns(self):
        self.assertEqual(json.loads(self.curl("-d", '{"hello": "world"}')), {"accepted": 1})
        row = self.daemon.rows(1)[0]
        self.assertEqual(list(row), COLUMNS)
        self.assertRegex(row["id"], UUID7)
        self.assertTrue(row["source"])
        self.assertEqual(row["type"], "event")
        self.assertRegex(row["time"], TIME)
        self.assertEqual(row["time"], row["received_at"])
        self.assertEqual(row["data"], '{"hello": "world"}')
        self.assertIsNone(row["subject"])
        self.assertIsNone(row["extensions"])
        self.assertEqual(self.daemon.stop()[1:6], (1, 1, 0, 0, 0))

    def test_curl_d_with_text_that_is_no_json_is_an_opaque_event(self):
        self.assertEqual(json.loads(self.curl("-d", "just a note")), {"accepted": 1})
        row = self.daemon.rows(1)[0]
        self.assertEqual(row["data"], "just a note")
        self.assertEqual(row["datacontenttype"], "application/x-www-form-urlencoded")

    def test_an_object_without_data_or_specversion_is_stored_byte_for_byte(self):
        body = '{ "type" : "order",\t"amount":1.50, "big": 123456789012345678901234567890, "é": "\\u00e9" }'
        row = self.accept(self.daemon.post(body))[0]
        self.assertEqual(row["data"], body)
        self.assertEqual(row["type"], "order")

    def test_the_short_form_fills_the_columns(self):
        row = self.accept(self.daemon.post({
            "id": "o-1", "source": "/shop", "type": "order", "time": "2026-01-02T03:04:05.25+01:00",
            "subject": "basket", "data": {"amount": 3},
        }))[0]
        self.assertRegex(row.pop("received_at"), TIME)
        self.assertIn(row.pop("datacontenttype"), (None, "application/json"))
        self.assertEqual(row, {
            "id": "o-1", "source": "/shop", "type": "order", "time": "2026-01-02T02:04:05.250000Z",
            "subject": "basket", "data": '{"amount":3}', "extensions": None,
        })

    def test_a_cloudevent_keeps_its_extensions(self):
        row = self.accept(self.daemon.post({
            "specversion": "1.0", "id": "c-1", "source": "/shop", "type": "com.example.order", "sampledrate": 3,
            "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "data": [1, 2],
        }))[0]
        self.assertEqual((row["id"], row["source"], row["type"]), ("c-1", "/shop", "com.example.order"))
        self.assertEqual(json.loads(row["data"]), [1, 2])
        self.assertEqual(json.loads(row["extensions"]), {
            "sampledrate": 3, "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        })

    def test_the_path_may_give_the_type_and_may_be_the_root(self):
        self.accept(self.daemon.post({"a": 1}, path="/events/signup"))
        rows = self.accept_more(self.daemon.post({"a": 2, "type": "login"}, path="/"), 2)
        self.assertEqual({row["type"] for row in rows}, {"signup", "login"})

    def accept_more(self, answer, rows):
        self.assertEqual(answer.json(), {"accepted": 1}, answer)
        return self.daemon.rows(rows)

    def test_an_array_is_many_events(self):
        rows = self.accept(self.daemon.post([{"n": 1}, {"n": 2}, {"id": "third", "data": 3}]), 3)
        self.assertEqual({row["data"] for row in rows}, {'{"n":1}', '{"n":2}', "3"})
        self.assertIn("third", {row["id"] for row in rows})

    def test_ndjson_is_many_events(self):
        rows = self.accept(self.daemon.post('{"n":1}\n{"n":2}\r\n\n{"n":3}', content_type="application/x-ndjson"), 3)
        self.assertEqual({row["data"] for row in rows}, {'{"n":1}', '{"n":2}', '{"n":3}'})

    def test_any_other_content_type_is_one_opaque_event(self):
        picture = bytes(range(256))
        self.accept(self.daemon.post(picture, content_type="image/png"))
        rows = self.accept_more(self.daemon.post("grüße", content_type="text/plain; charset=utf-8"), 2)
        data = {row["datacontenttype"]: row["data"] for row in rows}
        self.assertEqual(data, {"image/png": picture, "text/plain; charset=utf-8": "grüße"})

    def test_a_representation_names_the_ids_that_are_stored(self):
        answer = self.daemon.post([{"n": 1}, {"n": 2}, {"id": "x", "data": 3}], Prefer="return=representation")
        self.assertEqual(answer.status, 201)
        self.assertEqual(answer.json()["accepted"], 3)
        rows = self.daemon.rows(3)
        self.assertCountEqual(answer.json()["ids"], [row["id"] for row in rows])
        by_data = {row["data"]: row["id"] for row in rows}
        self.assertEqual(answer.json()["ids"], [by_data['{"n":1}'], by_data['{"n":2}'], "x"])

    def test_an_event_that_is_posted_twice_is_stored_once(self):
        for _ in range(2):
            self.assertEqual(self.daemon.post({"id": "same", "data": 1}).status, 201)
        trackd.wait_until(lambda: self.daemon.sink("sqlite")["delivered"] == 2, "both delivered")
        self.assertEqual(self.daemon.sink("sqlite")["duplicates"], 1)
        self.assertEqual(self.daemon.ids(), ["same"])

    def test_a_second_start_adds_to_the_same_database(self):
        self.accept(self.daemon.post({"id": "first", "data": 1}))
        database = self.daemon.database
        self.assertEqual(self.daemon.stop().delivered, 1)
        second = self.start({"sinks.sqlite.path": database})
        self.assertEqual(second.post({"id": "second", "data": 2}).status, 201)
        self.assertEqual(second.stop().delivered, 1)
        self.assertCountEqual(self.daemon.ids(), ["first", "second"])


class BadEvents(trackd.TestCase):
    """A bad request changes nothing, and its answer says what was wrong and where."""

    @classmethod
    def setUpClass(cls):
        cls.daemon = trackd.Daemon({"http.max_body_bytes": "64KiB"})
        cls.addClassCleanup(cls.daemon.kill)

    def tearDown(self):
        self.assertEqual(self.daemon.status()["tracker"]["accepted"], 0, "nothing may be stored")

    def refuse(self, body, statuses, *parts, **options):
        answer = self.daemon.post(body, **options)
        self.assertIn(answer.status, statuses, (str(body)[:200], answer))
        self.assert_problem(answer, answer.status, *parts)

    def test_invalid_json_is_400_with_the_offset(self):
        self.refuse('{"a":1,}', [400], "7")
        self.refuse('{"a":', [400])
        self.refuse("[1 2]", [400])

    def test_a_bad_line_of_ndjson_is_400_with_its_number(self):
        self.refuse('{"a":1}\n{"b":\n{"c":3}\n', [400], "line 2", content_type="application/x-ndjson")

    def test_a_bad_member_of_an_array_is_422_with_its_index(self):
        self.refuse([{"n": 1}, {"n": 2}, 3, {"n": 4}], [422], "2")
        self.refuse([{"n": 1}, {"data": 1, "subject": 7}], [422], "1", "subject")

    def test_attributes_that_cannot_be_are_named(self):
        self.refuse({"data": 1, "time": "yesterday"}, [400, 422], "time")
        self.refuse({"data": 1, "id": ""}, [400, 422], "id")
        self.refuse({"data": 1, "subject": "x" * 1025}, [400, 422], "subject")
        self.refuse('{"data":1,"type":"a","type":"b"}', [400, 422], "type")
        self.refuse({"specversion": "1.0", "type": "t", "source": "/s"}, [400, 422], "id")
        self.refuse({"specversion": "0.3", "id": "1", "type": "t", "source": "/s"}, [400, 422], "specversion")

    def test_nothing_to_store_is_400(self):
        self.refuse("", [400])
        self.refuse("[]", [400])
        self.refuse("\n\n", [400], content_type="application/x-ndjson")

    def test_a_body_over_the_limit_is_413_and_names_it(self):
        self.refuse("x" * 65537, [413], "65536", content_type="text/plain")
