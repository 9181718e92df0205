"""The kafka sink with a real broker: what arrives at a consumer, and what is said when nothing can."""
import datetime
import json
import time

from support import trackd
from support.kafka import Broker
from support.shifted_clock import DAYS_400, ShiftedClock

QUICK = {"tracker.retry.max": "200ms"}


class KafkaSink(trackd.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.broker = Broker("auto.create.topics.enable=true\n")
        cls.addClassCleanup(cls.broker.close)

    def start_with(self, *options, settings=None, brokers=None):
        """A daemon whose sink `k` has these options, as TOML has them."""
        table = ",".join(('name="k"', 'kind="kafka"', f'brokers="{brokers or self.broker.address}"', *options))
        return self.start({"sinks": f"[{{{table}}}]", **QUICK, **(settings or {})})

    def post(self, daemon, *bodies, content_type="application/json", path="/events"):
        with daemon.connect() as connection:
            for body in bodies:
                text = body if isinstance(body, (str, bytes)) else json.dumps(body, ensure_ascii=False).encode()
                self.assertEqual(connection.request("POST", path, text, Content_Type=content_type).status, 201)

    def only_message(self, topic):
        messages = self.broker.messages(topic)
        self.assertEqual(len(messages), 1, messages)
        return messages[0]

    def test_in_binary_mode_attributes_are_headers_and_the_value_is_the_data(self):
        daemon = self.start_with('topic="binary"')
        event = {"specversion": "1.0", "id": "e-1", "source": "/shop/ä", "type": "order", "subject": "7",
                 "time": "2026-01-02T03:04:05Z", "datacontenttype": "application/json", "sampledrate": 3, "flag": True,
                 "traceparent": 'a"b', "dataschema": "urn:x", "data": {"n": [1, 2.50]}}
        body = json.dumps(event, ensure_ascii=False).replace("2.5", "2.50")
        self.post(daemon, body.encode(), content_type="application/cloudevents+json")
        self.assertEqual(daemon.stop().delivered, 1)
        message = self.only_message("binary")
        received = message.headers.pop("ce_receivedat")
        self.assertEqual(message.headers, {
            "ce_specversion": "1.0", "ce_id": "e-1", "ce_source": "/shop/ä", "ce_type": "order", "ce_subject": "7",
            "ce_time": "2026-01-02T03:04:05.000000Z", "ce_sampledrate": "3", "ce_flag": "true", "ce_traceparent": 'a"b',
            "ce_dataschema": "urn:x", "content-type": "application/json"})
        self.assertRegex(received, r"^20\d\d-\d\d-\d\dT.*Z$")
        self.assertEqual((message.key, json.loads(message.value)), ("/shop/ä", {"n": [1, 2.5]}))
        self.assertIn("2.50", message.value, "the client's bytes")

    def test_data_of_every_kind_arrives_as_it_is(self):
        daemon = self.start_with('topic="kinds.{type}"', 'key="id"')
        for kind, body, content_type in (("json", '{"a": 1}', "application/json"), ("text", "a\nb", "text/plain"),
                                         ("binary", b"\x00\x01\x7f", "image/png")):
            self.post(daemon, body, content_type=content_type, path=f"/events/{kind}")
        none = {"specversion": "1.0", "id": "n", "source": "s", "type": "none"}
        self.post(daemon, none, content_type="application/cloudevents+json")
        self.assertEqual(daemon.stop().delivered, 4)
        for kind, value, content_type in (("json", '{"a": 1}', "application/json"), ("text", "a\nb", "text/plain"),
                                          ("binary", "\x00\x01\x7f", "image/png"), ("none", None, None)):
            message = self.only_message(f"kinds.{kind}")
            self.assertEqual((message.value, message.headers.get("content-type")), (value, content_type), kind)
            self.assertEqual(message.key, message.headers["ce_id"])

    def test_in_structured_mode_the_value_is_the_cloudevent(self):
        daemon = self.start_with('topic="structured"', 'format="structured"', 'key="subject"', 'compression="zstd"')
        self.post(daemon, {"id": "e-1", "source": "/shop", "type": "order", "subject": "7", "data": {"n": 1}},
                  {"id": "e-2", "source": "/shop", "type": "order", "data": None})
        self.assertEqual(daemon.stop().delivered, 2)
        first, second = sorted(self.broker.messages("structured"), key=lambda message: message.value)
        self.assertEqual(first.headers, {"content-type": "application/cloudevents+json"})
        event = json.loads(first.value)
        self.assertEqual((event["specversion"], event["id"], event["source"], event["type"], event["subject"], event["data"]),
                         ("1.0", "e-1", "/shop", "order", "7", {"n": 1}))
        self.assertEqual((first.key, second.key), ("7", None))

    def test_events_of_one_key_keep_their_order(self):
        daemon = self.start_with('topic="ordered"', "batch_events=7", "linger=\"0s\"")
        self.post(daemon, *([{"id": f"{source}-{number}", "source": f"s{source}", "data": number} for source in range(5)]
                            for number in range(200)))
        self.assertEqual(daemon.stop().delivered, 1000)
        seen = {}
        for message in self.broker.messages("ordered"):
            seen.setdefault(message.key, []).append(int(message.value))
        self.assertEqual(seen, {f"s{source}": list(range(200)) for source in range(5)})

    def test_a_broker_that_is_down_at_the_start_gets_everything_later(self):
        broker = Broker()
        self.addCleanup(broker.close)
        broker.stop()
        daemon = self.start_with('topic="late"', 'timeout="1s"', brokers=broker.address)
        self.post(daemon, [{"id": f"e-{number}", "data": number} for number in range(100)])
        trackd.wait_until(lambda: daemon.sink("k")["failing"], "the sink fails")
        said = daemon.sink("k")["last_error"]
        self.assertIn(f'kafka at "{broker.address}": nothing was confirmed for 1000 ms', said)
        self.assertIn("Connection refused", said)
        broker.start()
        daemon.wait_until_delivered()
        self.assertEqual(daemon.stop().delivered, 100)
        self.assertEqual({message.headers["ce_id"] for message in broker.messages("late")},
                         {f"e-{number}" for number in range(100)})

    def test_a_broker_that_is_down_does_not_hold_up_the_end(self):
        daemon = self.start_with(brokers="127.0.0.1:1", settings={"shutdown.drain_timeout": "1s"})
        self.post(daemon, {"id": "e", "data": 1})
        summary = daemon.stop()
        self.assertEqual((summary.pending, summary.lost), (1, 0))

    def test_a_wrong_password_is_told(self):
        properties = ('security.protocol="SASL_PLAINTEXT",sasl.mechanism="PLAIN",sasl.username="trackd",'
                      'sasl.password="{}"')
        wrong = self.start_with('topic="secret"', 'timeout="1s"', f"properties={{{properties.format('hidden')}}}",
                                brokers=self.broker.sasl_address)
        self.post(wrong, {"id": "e-1", "data": 1})
        trackd.wait_until(lambda: wrong.sink("k")["failing"], "the sink fails")
        self.assertRegex(wrong.sink("k")["last_error"], "SASL.*Authentication failed")
        wrong.log.wait_for("librdkafka: .*Authentication failed")
        self.assertIsNone(wrong.log.find("hidden"))
        printed = trackd.run("config", *wrong.configuration()).stdout
        self.assertIn('"sasl.password" = "********"', printed)
        self.assertNotIn("hidden", printed)
        wrong.stop()
        right = self.restart(wrong, {"sinks.k.properties.sasl.password": "right", "sinks.k.timeout": "1m"})
        right.wait_until_delivered()
        right.stop()
        self.assertEqual(self.only_message("secret").headers["ce_id"], "e-1")

    def test_too_large_a_message_is_told_and_those_before_it_arrive(self):
        daemon = self.start_with('topic="large"', settings={"http.max_event_bytes": "8MiB", "http.max_body_bytes": "8MiB"})
        self.post(daemon, [{"id": "before", "data": 1}, {"id": "large", "data": "x" * 2_000_000}])
        trackd.wait_until(lambda: daemon.sink("k")["delivered"] == 1, "the one before it")
        self.assertEqual(self.only_message("large").headers["ce_id"], "before")


class RefusedMessages(trackd.TestCase):
    """What a topic refuses is the sink's affair where the sink has chosen it, and never makes a dead letter alone."""

    @classmethod
    def setUpClass(cls):
        cls.broker = Broker("auto.create.topics.enable=false\n")
        cls.addClassCleanup(cls.broker.close)

    def sinks(self, topic, brokers=None, *further):
        table = ",".join(('name="k"', 'kind="kafka"', f'brokers="{brokers or self.broker.address}"', f'topic="{topic}"',
                          *further))
        return f"[{{{table}}}]"

    def sends_a_backlog(self, topic, wait=3):
        """Events that wait for the brokers longer than the topic allows."""
        daemon = self.start({"sinks": self.sinks(topic, "127.0.0.1:1"), "shutdown.drain_timeout": "1s", **QUICK})
        self.post_numbers(daemon, 0, 100)
        self.assertEqual(daemon.stop().pending, 100)
        time.sleep(wait)
        daemon = self.restart(daemon, {"sinks": self.sinks(topic)})
        self.post_numbers(daemon, 100, 1)
        began = time.time()
        daemon.wait_until_delivered()
        sink = daemon.sink("k")
        self.assertEqual((sink["delivered"], sink["dead_lettered"]), (101, 0))
        messages = self.broker.messages(topic)
        self.assertEqual({message.headers["ce_id"] for message in messages}, {f"e-{number}" for number in range(101)})
        return daemon, began, messages

    def test_a_backlog_that_is_older_than_the_topic_allows_gets_the_present_time(self):
        for number, setting in enumerate(("message_timestamp_before_max_ms", "message_timestamp_difference_max_ms")):
            with self.subTest(setting):
                self.broker.create_topic(f"old-{number}", **{setting: 2000})
                daemon, began, messages = self.sends_a_backlog(f"old-{number}")
                for message in messages:
                    self.assertGreater(message.timestamp / 1000, began - 2.5)
                first = next(message for message in messages if message.headers["ce_id"] == "e-0")
                arrived = datetime.datetime.fromisoformat(first.headers["ce_receivedat"].replace("Z", "+00:00")).timestamp()
                self.assertLess(arrived, first.timestamp / 1000 - 2, "the arrival is in the header")
                daemon.log.wait_for(f'topic "old-{number}": rejects messages with the time of the events')
                daemon.stop()

    def test_a_backlog_keeps_its_time_where_the_topic_allows_it(self):
        self.broker.create_topic("any-age")
        daemon, began, messages = self.sends_a_backlog("any-age", wait=1)
        first = next(message for message in messages if message.headers["ce_id"] == "e-0")
        self.assertLess(first.timestamp / 1000, began - 0.9)
        self.assertIsNone(daemon.log.find("rejects messages with the time"))

    def test_while_the_clock_is_ahead_events_wait_and_none_is_lost(self):
        """Brokers refuse a time from the future, which the present time then is, too."""
        self.broker.create_topic("future", message_timestamp_after_max_ms=3600000)
        clock = ShiftedClock(self)
        clock.set(DAYS_400)
        daemon = self.start({"sinks": self.sinks("future"), **QUICK}, environment=clock.environment)
        self.post_numbers(daemon, 0, 10)
        self.error_of(daemon, "k", "expected this machine's clock")
        sink = daemon.sink("k")
        self.assertIn("expected this machine's clock", sink["last_error"])
        self.assertEqual((sink["delivered"], sink["dead_lettered"], sink["pending"]), (0, 0, 10))
        clock.set(0)
        daemon.wait_until_delivered()
        self.assertEqual((daemon.sink("k")["delivered"], daemon.sink("k")["dead_lettered"]), (10, 0))
        self.assertEqual(len({message.headers["ce_id"] for message in self.broker.messages("future")}), 10)

    def test_a_compacted_topic_without_keys_makes_no_dead_letters_and_then_only_the_bad_event_is_one(self):
        """It rejects everything, so the topic is at fault. Among the events is one that is too large in any case."""
        self.broker.create_topic("compacted", cleanup_policy="compact", max_message_bytes=100_000)
        daemon = self.start({"sinks": self.sinks("compacted", None, 'key="none"', "properties={batch.size=90000}"), **QUICK})
        self.post_numbers(daemon, 0, 25)
        self.assertEqual(daemon.post({"id": "large", "source": "test", "type": "t", "data": "x" * 300_000}).status, 201)
        self.post_numbers(daemon, 25, 25)
        trackd.wait_until(lambda: daemon.sink("k")["failing"], "the sink fails")
        trackd.wait_until(lambda: daemon.sink("k")["retries"] >= 8, "it has been tried some times")
        sink = daemon.sink("k")
        self.assertEqual((sink["delivered"], sink["dead_lettered"], sink["pending"]), (0, 0, 51))
        self.assertIn("a topic that is compacted takes none without a key", sink["last_error"])
        self.broker.run("kafka.admin.ConfigCommand", "--bootstrap-server", self.broker.address, "--alter", "--topic",
                        "compacted", "--add-config", "cleanup.policy=delete")
        daemon.wait_until_delivered()
        self.assertEqual((daemon.sink("k")["delivered"], daemon.sink("k")["dead_lettered"]), (50, 1))
        self.assertEqual({message.headers["ce_id"] for message in self.broker.messages("compacted")},
                         {f"e-{number}" for number in range(50)})


class WithoutAutomaticTopics(trackd.TestCase):
    def test_a_topic_that_is_missing_is_told_and_used_once_it_is_there(self):
        broker = Broker("auto.create.topics.enable=false\n")
        self.addCleanup(broker.close)
        sink = (f'name="k",kind="kafka",brokers="{broker.address}",topic="missing",'
                "properties={topic.metadata.propagation.max.ms=500,topic.metadata.refresh.interval.ms=500}")
        daemon = self.start({"sinks": f"[{{{sink}}}]", **QUICK})
        self.assertEqual(daemon.post({"id": "e-1", "data": 1}).status, 201)
        trackd.wait_until(lambda: daemon.sink("k")["failing"], "the sink fails")
        self.assertIn('topic "missing": there is no such topic; create it', daemon.sink("k")["last_error"])
        broker.create_topic("missing")
        daemon.wait_until_delivered()
        self.assertEqual(daemon.stop().delivered, 1)
        self.assertEqual([message.headers["ce_id"] for message in broker.messages("missing")], ["e-1"])


class WrongConfiguration(trackd.TestCase):
    def refused(self, *options):
        table = ",".join(('name="k"', 'kind="kafka"', *options))
        return self.start({"sinks": f"[{{{table}}}]"}, wait=False).refusal()

    def test_properties_that_trackd_sets_itself(self):
        self.assertIn('sink k: property "acks": trackd sets it itself: it is always all', self.refused("properties={acks=1}"))
        self.assertIn('property "bootstrap.servers": trackd sets it itself: use the option brokers',
                      self.refused('properties={bootstrap.servers="a:1"}'))

    def test_what_librdkafka_refuses_is_told_in_its_words(self):
        self.assertIn('No such configuration property: \\"no.such\\"', self.refused('properties={no.such="x"}'))
        self.assertIn('property "linger.ms": librdkafka says', self.refused('properties={linger.ms="soon"}'))

    def test_a_topic_that_nothing_can_be_called(self):
        self.assertIn('topic "my events": Kafka takes no such name; expected', self.refused('topic="my events"'))
        self.assertIn('topic "a{subject}": found another {; expected', self.refused('topic="a{subject}"'))
