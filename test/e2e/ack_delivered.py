"""tracker.ack = "delivered": a 201 means that the row is there."""
from support import trackd


class AckDelivered(trackd.TestCase):
    def test_the_row_is_visible_once_the_answer_is_there(self):
        daemon = self.start({"tracker.ack": "delivered"})
        with daemon.connect() as connection:
            for number in range(50):
                answer = connection.request("POST", "/events", f'{{"id":"e-{number}","data":1}}')
                self.assertEqual(answer.status, 201, answer)
                self.assertEqual(daemon.count(), number + 1)
        self.assertEqual(daemon.stop().delivered, 50)

    def test_without_confirmation_in_time_the_answer_says_so_and_the_event_is_kept(self):
        daemon = self.start({"tracker.ack": "delivered", "tracker.ack_timeout": "300ms", "tracker.retry.max": "200ms"})
        self.assertEqual(daemon.post({"id": "before", "data": 1}).status, 201)
        lock = daemon.lock_database()
        try:
            answer = daemon.post({"id": "meanwhile", "data": 1})
            self.assert_problem(answer, 503, "stored, not yet confirmed")
            self.assertEqual(daemon.ids(), ["before"])
        finally:
            lock.close()
        daemon.rows(2)
        self.assertEqual(daemon.post({"id": "after", "data": 1}).status, 201)
        self.assertCountEqual(daemon.ids(), ["before", "meanwhile", "after"])
        self.assertEqual(daemon.stop().accepted, 3)

    def test_waiting_requests_are_answered_while_it_shuts_down(self):
        daemon = self.start({"tracker.ack": "delivered", "sinks": '[{name="slow",kind="log",simulate_latency="300ms"}]',
                             "shutdown.request_timeout": "10m", "shutdown.drain_timeout": "10m"})
        connections = [self.connect(daemon) for _ in range(4)]
        for connection in connections:
            connection.send(b'POST /events HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n{"data": 1}')
        trackd.wait_until(lambda: daemon.status()["tracker"]["accepted"] == 4, "all four are accepted")
        daemon.signal()
        for connection in connections:
            self.assertEqual(connection.response().status, 201)
        self.assertEqual(daemon.wait().delivered, 4)

    def test_every_sink_has_to_confirm(self):
        daemon = self.start({**trackd.MEMORY, "tracker.ack": "delivered", "tracker.ack_timeout": "300ms",
                             "sinks": '[{name="fast",kind="null"},{name="slow",kind="log",simulate_latency="1h"}]',
                             "shutdown.drain_timeout": "100ms"})
        self.assert_problem(daemon.post({"data": 1}), 503, "stored, not yet confirmed")
        self.assertEqual(daemon.sink("fast")["delivered"], 1)
        summary = daemon.stop(status=1)
        self.assertEqual((summary.accepted, summary.delivered, summary.lost), (1, 0, 1))
