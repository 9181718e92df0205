"""The formats of the front door, as their clients speak them: what is answered, and what is found in the database."""
import base64
import json

from support import trackd

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
GIF = bytes.fromhex(
    "47494638396101000100800000000000000000"
    "21f90401000000002c00000000010001000002024401003b"
)


class CloudEvents(trackd.TestCase):
    def setUp(self):
        self.daemon = self.start()

    def test_the_binary_mode_stores_the_attributes_of_the_header_and_the_body_as_data(self):
        answer = self.daemon.post(
            "grüße", content_type="text/plain", ce_specversion="1.0", ce_id="b-1", ce_source="/shop",
            ce_type="order", ce_subject="Euro%20%E2%82%AC", ce_time="2026-01-02T03:04:05Z", ce_region='"e\\u"')
        self.assertEqual((answer.status, answer.json()), (201, {"accepted": 1}), answer)
        row = self.daemon.rows(1)[0]
        row.pop("received_at")
        self.assertEqual(row, {
            "id": "b-1", "source": "/shop", "type": "order", "time": "2026-01-02T03:04:05.000000Z",
            "subject": "Euro €", "datacontenttype": "text/plain", "data": "grüße", "extensions": '{"region":"eu"}',
        })

    def test_the_binary_mode_keeps_a_percent_sign_and_invents_no_content_type(self):
        with self.daemon.connect() as connection:
            body = b"plain"
            head = ["POST /events HTTP/1.1", "Host: t", f"Content-Length: {len(body)}", "ce-specversion: 1.0", "ce-id: p",
                    "ce-source: /s", "ce-type: t", "ce-subject: 100% sure"]
            connection.send("\r\n".join([*head, "", ""]).encode() + body)
            self.assertEqual(connection.response().status, 201)
        row = self.daemon.rows(1)[0]
        self.assertEqual((row["subject"], row["datacontenttype"], row["data"]), ("100% sure", None, "plain"))

    def test_an_error_of_the_binary_mode_names_the_field(self):
        attributes = {"ce_specversion": "1.0", "ce_id": "b-1", "ce_source": "/shop", "ce_type": "order"}
        for name, value, status in [
                ("ce_subject", "%C0%A0", 400), ("ce_datacontenttype", "text/plain", 400), ("ce_time", "now", 422),
                ("ce_specversion", "2.0", 422), ("ce_my_name", "x", 422)]:
            answer = self.daemon.post("x", content_type="text/plain", **{**attributes, name: value})
            self.assert_problem(answer, status, name.replace("_", "-"))
        del attributes["ce_id"]
        self.assert_problem(self.daemon.post("x", content_type="text/plain", **attributes), 422, "ce-id is missing")
        self.assertEqual(self.daemon.status()["tracker"]["accepted"], 0)

    def test_an_empty_batch_is_taken_as_none_and_an_unknown_format_not_at_all(self):
        answer = self.daemon.post("[]", content_type="application/cloudevents-batch+json")
        self.assertEqual((answer.status, answer.json()), (201, {"accepted": 0}))
        answer = self.daemon.post("[]", content_type="application/cloudevents-batch+avro")
        self.assertEqual(self.assert_problem(answer, 415, "CloudEvents in JSON"), "unsupported-media-type")

    def test_who_asks_before_sending_may_send(self):
        answer = self.daemon.request("OPTIONS", "/events", WebHook_Request_Origin="sender.example.com")
        self.assertEqual(answer.status, 200)
        self.assertEqual(answer.header("allow"), "POST")
        self.assertEqual(answer.header("webhook-allowed-origin"), "sender.example.com")
        self.assertEqual(answer.header("webhook-allowed-rate"), "*")

    def test_the_trace_of_a_request_is_kept_with_its_events(self):
        self.assertEqual(self.daemon.post([{"a": 1}, {"a": 2}], traceparent=TRACE, tracestate="v=1").status, 201)
        for row in self.daemon.rows(2):
            self.assertEqual(json.loads(row["extensions"]), {"traceparent": TRACE, "tracestate": "v=1"})

    def test_a_dry_run_stores_nothing(self):
        answer = self.daemon.post([{"a": 1}, {"a": 2}], path="/events?dry_run=1")
        self.assertEqual((answer.status, answer.json()), (200, {"accepted": 0, "valid": 2}))
        self.assert_problem(self.daemon.post("[1]", path="/events/t?dry_run=1"), 422, "event [0]")
        self.assertEqual(self.daemon.stop().accepted, 0)


class Many(trackd.TestCase):
    """Many events in one body, in the ways in which programs send them."""
    NAMES = [f"{kind}/{prefix}{name}" for kind in ("application", "text") for prefix in ("", "x-")
             for name in ("ndjson", "jsonl", "jsonlines", "json-lines", "ldjson")]

    def setUp(self):
        self.daemon = self.start()

    def test_lines_are_known_by_all_their_names(self):
        for number, name in enumerate(self.NAMES):
            answer = self.daemon.post(f'{{"n":{number}}}\n{{"n":2}}\n{{"n":3}}\n', content_type=name)
            self.assertEqual((answer.status, answer.json()), (201, {"accepted": 3}), name)
        self.assertEqual(self.daemon.stop().accepted, 3 * len(self.NAMES))

    def test_objects_one_behind_the_other_are_an_event_each(self):
        for content_type in ("application/json", "application/x-www-form-urlencoded", "application/x-ndjson"):
            for body in ('{"a":1}{"a":2}', '{"a":1}\n{"a":2}\n', ' {"a":1} {"a":2} '):
                answer = self.daemon.post(body, content_type=content_type)
                self.assertEqual((answer.status, answer.json()), (201, {"accepted": 2}), (content_type, body))
        self.assertEqual({row["data"] for row in self.daemon.rows(18)}, {'{"a":1}', '{"a":2}'})

    def test_what_is_not_read_says_what_to_send(self):
        answer = self.daemon.post(b"\x92\x80\x80", content_type="application/msgpack")
        self.assertEqual(self.assert_problem(answer, 415, "MessagePack is not read"), "unsupported-media-type")
        answer = self.daemon.post('{"n":1}\n[2]\n', content_type="application/x-www-form-urlencoded")
        self.assertEqual(self.assert_problem(answer, 400, "application/x-ndjson"), "invalid-json")
        self.assertEqual(self.daemon.status()["tracker"]["accepted"], 0)


class PlainObjects(trackd.TestCase):
    STRIPE = '{"id":"evt_1","object":"event","type":"charge.succeeded","created":1,"data":{"object":{"amount":1}}}'
    CLERK = '{"data":{"id":"user_1"},"object":"event","type":"user.created","timestamp":1}'
    EVENT_GRID = ('[{"id":"e1","topic":"/t","subject":"/s","data":{"a":1},"eventType":"Created",'
                  '"eventTime":"2026-01-01T00:00:00Z","dataVersion":"1"}]')

    def test_what_has_data_and_more_is_data_as_a_whole(self):
        daemon = self.start()
        for body in (self.STRIPE, self.CLERK, self.EVENT_GRID, '{"id":"a","type":"b","data":{}}'):
            for path in ("/events/hook", "/events"):
                self.assertEqual(daemon.post(body, path=path).status, 201, (path, body))
        rows = [(row["type"], row["data"]) for row in daemon.rows(8)]
        whole = [self.STRIPE, self.CLERK, self.EVENT_GRID[1:-1]]
        expected = [("hook", data) for data in [*whole, '{"id":"a","type":"b","data":{}}']]
        expected += zip(["charge.succeeded", "user.created", "event"], whole)
        self.assertEqual(sorted(rows), sorted([*expected, ("b", "{}")]))  # the last one is the short form


class Segment(trackd.TestCase):
    def setUp(self):
        self.daemon = self.start()

    def test_a_track_call_is_found_with_its_name_and_its_user(self):
        call = '{"userId": "u1", "event": "Order Completed", "messageId": "m1", "properties": {"total": 12.50}}'
        key = base64.b64encode(b"key:").decode()
        answer = self.daemon.post(call, path="/v1/track", content_type="text/plain", Authorization=f"Basic {key}")
        self.assertEqual((answer.status, answer.header("content-type")), (200, "application/json"))
        self.assertEqual(answer.json(), {"success": True})
        row = self.daemon.rows(1)[0]
        self.assertEqual((row["id"], row["type"], row["subject"]), ("m1", "Order Completed", "u1"))
        self.assertEqual(row["data"], call)
        self.assertEqual(row["datacontenttype"], "application/json")

    def test_a_batch_is_stored_call_by_call_with_what_they_have_in_common(self):
        answer = self.daemon.post({
            "sentAt": "2020-01-01T00:00:10Z", "context": {"ip": "::1"}, "writeKey": "k",
            "batch": [
                {"type": "identify", "userId": "u1", "traits": {}, "timestamp": "2020-01-01T00:00:00Z"},
                {"type": "track", "anonymousId": "a1", "event": "E"},
            ]}, path="/v1/batch")
        self.assertEqual((answer.status, answer.json()), (200, {"success": True}))
        rows = {row["type"]: row for row in self.daemon.rows(2)}
        self.assertEqual(json.loads(rows["identify"]["data"])["context"], {"ip": "::1"})
        self.assertEqual(rows["E"]["subject"], "a1")
        self.assertEqual(rows["E"]["time"], rows["E"]["received_at"])
        # Ten seconds before it was sent, by whatever clock, is ten seconds before it arrived.
        (apart,) = self.daemon.query(
            "SELECT round((julianday(received_at) - julianday(time)) * 86400) AS seconds FROM events"
            " WHERE type = 'identify'")
        self.assertEqual(apart["seconds"], 10)

    def test_a_bad_call_is_400_in_a_shape_that_every_client_reads(self):
        answer = self.daemon.post({"batch": [{"type": "track", "userId": "u"}]}, path="/v1/import")
        self.assertEqual(answer.status, 400)
        error = answer.json()
        self.assertEqual((error["success"], error["code"], error["error"]), (False, "invalid_event", "invalid_event"))
        for name in ("message", "error_description", "detail"):
            self.assertIn('batch [0]: "event" is missing', error[name])
        self.assertEqual(self.daemon.status()["tracker"]["accepted"], 0)

    def assert_client_error(self, answer, code):
        self.assertEqual((answer.status, answer.header("content-type")), (400, "application/json"), answer)
        error = answer.json()
        self.assertEqual((error["success"], error["code"], error["error"]), (False, code, code), answer)
        self.assertTrue(error["message"] and error["message"] == error["error_description"] == error["detail"])

    def test_what_http_itself_refuses_is_said_in_the_same_shape(self):
        for path in ("/v1/track", "/v1/b", "/v1/m"):
            for code, headers in (
                ("payload_too_large", {"Content_Length": "99999999999"}),
                ("unknown_expectation", {"Expect": "a-miracle"}),
                ("field_given_twice", {"X_Api_Key": "a", "x_api_key": "b"}),
            ):
                with self.subTest(path=path, code=code):
                    self.assert_client_error(self.daemon.request("POST", path, **headers), code)
        for coding, code in (("gzip", "invalid_encoding"), ("br", "unsupported_encoding")):
            self.assert_client_error(self.daemon.post("{}", path="/v1/page", Content_Encoding=coding), code)
        answer = self.daemon.request("POST", "/v1/merge", Content_Length="99999999999")
        self.assertEqual((answer.status, answer.body), (413, b"request size exceeds max limit\n"))
        answer = self.daemon.request("GET", "/pixel.gif", Content_Length="99999999999")
        self.assertEqual((answer.status, answer.body), (200, GIF))
        self.assertTrue(answer.closes)
        self.assert_problem(self.daemon.request("POST", "/events", Content_Length="99999999999"), 413, "Expected a body")

    def test_a_slash_too_many_matters_on_no_path(self):
        call = {"userId": "u", "event": "E", "type": "track"}
        for path in ("/v1/import/", "//v1/batch", "/v1//b/", "/beacon/v1/batch//"):
            self.assertEqual(self.daemon.post({"batch": [call]}, path=path).status, 200, path)
        for path in ("/v1/track/", "//v1/t"):
            self.assertEqual(self.daemon.post(call, path=path).json(), {"success": True}, path)
        for path in ("/events/", "//", "//events/E/", "/v1/webhook/"):
            self.assertIn(self.daemon.post({"n": 1}, path=path).status, (200, 201), path)
        for path in ("/healthz/", "//readyz", "//v1/projects/k/settings/"):
            self.assertEqual(self.daemon.request("GET", path).status, 200, path)
        self.assertEqual(self.daemon.stop().accepted, 10)

    def test_a_wrong_path_or_method_is_said_in_the_shape_that_clients_read(self):
        for method, path, status, code in (
                ("POST", "/v1/nowhere", 404, "not_found"), ("POST", "//v1/track/x", 404, "not_found"),
                ("GET", "/v1/track", 405, "method_not_allowed"), ("PUT", "/v1/batch/", 405, "method_not_allowed"),
                ("POST", "/v1/pixel/track", 405, "method_not_allowed")):
            answer = self.daemon.request(method, path)
            self.assertEqual((answer.status, answer.header("content-type")), (status, "application/json"), answer)
            error = answer.json()
            self.assertEqual((error["success"], error["code"], error["error"]), (False, code, code), answer)
        self.assertEqual(self.daemon.request("GET", "/beacon/v1/nowhere").header("content-type"),
                         "text/plain; charset=utf-8")
        self.assert_problem(self.daemon.request("POST", "/v2/track"), 404)

    def test_the_trace_of_a_request_is_kept_with_its_calls(self):
        self.daemon.post({"userId": "u"}, path="/v1/page", traceparent=TRACE, tracestate="v=1")
        self.assertEqual(json.loads(self.daemon.rows(1)[0]["extensions"]), {"traceparent": TRACE, "tracestate": "v=1"})

    def test_a_webhook_takes_any_object_and_any_fields(self):
        self.assertEqual(self.daemon.post('{"a":1.0}', path="/v1/webhook").body, b"ok")
        form = "application/x-www-form-urlencoded"
        self.assertEqual(self.daemon.post("a=1&b=x+y", path="/v1/webhook", content_type=form).body, b"ok")
        self.assertEqual(self.daemon.request("GET", "/v1/webhook?writeKey=k&c=%C3%A4").body, b"ok")
        rows = self.daemon.rows(3)
        self.assertEqual({row["type"] for row in rows}, {"webhook"})
        self.assertEqual({row["data"] for row in rows}, {'{"a":1.0}', '{"a":"1","b":"x y"}', '{"c":"ä"}'})

    def test_a_webhook_that_is_delivered_again_is_stored_once(self):
        for _ in range(2):
            answer = self.daemon.post({"action": "opened"}, path="/v1/webhook",
                                      X_GitHub_Delivery="72d3162e-cc78", X_GitHub_Event="issues")
            self.assertEqual((answer.status, answer.body), (200, b"ok"))
            self.assertEqual(self.daemon.post([{"n": 1}, {"n": 2}], path="/v1/webhook", Idempotency_Key="key").status, 200)
        self.daemon.wait_until_delivered()
        rows = {row["id"]: (row["type"], row["data"]) for row in self.daemon.rows(3)}
        self.assertEqual(rows, {"72d3162e-cc78": ("issues", '{"action":"opened"}'),
                                "key-0": ("webhook", '{"n":1}'), "key-1": ("webhook", '{"n":2}')})

    def test_a_webhook_takes_a_form_in_parts(self):
        body = ('--x\r\nContent-Disposition: form-data; name="from"\r\n\r\na@example.org\r\n'
                '--x\r\nContent-Disposition: form-data; name="file"; filename="f.txt"\r\n'
                'Content-Type: text/plain\r\n\r\nhello\r\n--x--\r\n')
        answer = self.daemon.post(body, path="/v1/webhook", content_type="multipart/form-data; boundary=x")
        self.assertEqual((answer.status, answer.body), (200, b"ok"))
        self.assertEqual(json.loads(self.daemon.rows(1)[0]["data"]), {
            "from": "a@example.org", "file": {"filename": "f.txt", "contenttype": "text/plain", "data": "hello"}})

    def test_a_rudderstack_client_gets_what_its_gateway_says(self):
        answer = self.daemon.post({"userId": "u"}, path="/v1/page", User_Agent="RudderLabs/rudder-sdk 1.0")
        self.assertEqual((answer.status, answer.body), (200, b"ok"))
        answer = self.daemon.post({"batch": []}, path="/beacon/v1/batch?writeKey=k", content_type="text/plain")
        self.assertEqual((answer.status, answer.body), (400, b"empty batch payload\n"))
        self.assertEqual(answer.header("content-type"), "text/plain; charset=utf-8")

    def test_a_pixel_call_is_stored(self):
        answer = self.daemon.request("GET", "/v1/pixel/page?writeKey=k&userId=u&properties.path=%2F")
        self.assertEqual((answer.status, answer.header("content-type"), answer.body), (200, "image/gif", GIF))
        row = self.daemon.rows(1)[0]
        self.assertEqual((row["type"], row["subject"]), ("page", "u"))
        self.assertEqual(json.loads(row["data"]), {"userId": "u", "properties": {"path": "/"}})

    def test_our_own_pixel_is_stored_and_not_kept_by_anybody(self):
        answer = self.daemon.request("GET", "/pixel.gif?type=mail.opened&mail=17")
        self.assertEqual((answer.status, answer.header("content-type"), answer.body), (200, "image/gif", GIF))
        self.assertEqual(answer.header("cache-control"), "no-store")
        row = self.daemon.rows(1)[0]
        self.assertEqual((row["type"], row["data"]), ("mail.opened", '{"mail":"17","type":"mail.opened"}'))
