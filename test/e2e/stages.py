"""The staged shutdown as clients and operators see it: nobody who was promised something is let down."""
import signal

from support import trackd
from support.raw_http import Connection, request_bytes

EVENT = b'{"id":"late","data":"sent while it shuts down"}'


class LameDuck(trackd.TestCase):
    def test_requests_are_served_while_readyz_says_no(self):
        daemon = self.start({"shutdown.lame_duck": "10m"})
        self.assertEqual(daemon.request("GET", "/readyz").status, 200)
        kept = self.connect(daemon)
        self.assertFalse(kept.request("POST", "/events", b'{"id":"early","data":1}').closes)

        daemon.signal()
        daemon.log.wait_for("^stage lame_duck")
        self.assertEqual(daemon.status()["stage"], "lame_duck")
        self.assertEqual(daemon.request("GET", "/readyz").status, 503)
        self.assertEqual(daemon.ask("/readyz").status, 503)
        self.assertEqual(daemon.request("GET", "/healthz").status, 200)

        old = kept.request("POST", "/events", EVENT)
        self.assertEqual((old.status, old.closes), (201, True))
        self.assertTrue(kept.ended())
        new = daemon.post({"id": "new", "data": 2})
        self.assertEqual((new.status, new.closes), (201, True))

        daemon.signal(signal.SIGINT)  # the second signal: every deadline is now
        summary = daemon.wait(status=0)
        self.assertEqual((summary.accepted, summary.delivered, summary.lost), (3, 3, 0))
        self.assertCountEqual(daemon.ids(), ["early", "late", "new"])

    def test_it_ends_by_itself(self):
        daemon = self.start({"shutdown.lame_duck": "50ms"})
        self.assertEqual(daemon.stop().reason, "SIGTERM")
        stages = [daemon.log.find(f"^stage {name}") for name in ("lame_duck", "closing", "draining", "stopped")]
        self.assertTrue(all(stages), daemon.log.tail())


class Closing(trackd.TestCase):
    PATIENT = {"shutdown.request_timeout": "10m", "shutdown.idle_timeout": "10m"}

    def closing(self, daemon):
        daemon.signal()
        daemon.log.wait_for("^stage closing")

    def test_an_idle_connection_may_send_one_more_request(self):
        daemon = self.start(self.PATIENT)
        used, unused = self.connect(daemon), self.connect(daemon)
        self.assertEqual(used.request("POST", "/events", b'{"id":"first","data":1}').status, 201)
        trackd.wait_until(lambda: daemon.status()["connections"]["ingest"] == 2, "both connections are accepted")
        self.closing(daemon)

        for connection, event in ((used, EVENT), (unused, b'{"id":"other","data":1}')):
            answer = connection.request("POST", "/events", event)
            self.assertEqual((answer.status, answer.closes), (201, True), answer)
            self.assertTrue(connection.ended())
        self.assertEqual(daemon.wait().delivered, 3)
        self.assertCountEqual(daemon.ids(), ["first", "late", "other"])

    def test_a_request_that_has_begun_is_finished(self):
        daemon = self.start(self.PATIENT)
        connection = self.connect(daemon)
        request = request_bytes("POST", "/events", EVENT, Content_Type="application/json")
        connection.send(request[:-20])
        trackd.wait_until(lambda: daemon.status()["connections"]["ingest"] == 1, "the connection is accepted")
        self.closing(daemon)
        connection.send(request[-20:])
        answer = connection.response()
        self.assertEqual((answer.status, answer.closes), (201, True), answer)
        self.assertEqual(daemon.wait().accepted, 1)
        self.assertEqual(daemon.ids(), ["late"])

    def test_new_connections_are_refused_and_the_admin_listener_stays(self):
        daemon = self.start(self.PATIENT)
        connection = self.connect(daemon)
        self.assertEqual(connection.request("GET", "/healthz").status, 200)
        self.closing(daemon)
        self.assertEqual(daemon.status()["stage"], "closing")
        self.assertEqual(daemon.ask("/readyz").status, 503)
        trackd.wait_until(lambda: self.is_refused(daemon.ingest), "the ingest listener closes")
        self.assertEqual(daemon.status()["stage"], "closing")
        connection.close()
        daemon.wait()

    @staticmethod
    def is_refused(address):
        try:
            Connection(address).close()
            return False
        except ConnectionRefusedError:
            return True

    def test_a_request_that_never_ends_is_given_up(self):
        daemon = self.start({"shutdown.request_timeout": "300ms", "shutdown.idle_timeout": "300ms"})
        connection = self.connect(daemon)
        connection.send(request_bytes("POST", "/events", EVENT, Content_Type="application/json")[:-20])
        trackd.wait_until(lambda: daemon.status()["connections"]["ingest"] == 1, "the connection is accepted")
        self.assertEqual(daemon.stop().accepted, 0)
        answer = connection.response()
        self.assertIn(answer and answer.status, (None, 408, 503), answer)
        self.assertEqual(daemon.ids(), [])

    def test_idle_connections_do_not_hold_it_up_for_ever(self):
        daemon = self.start({"shutdown.idle_timeout": "100ms"})
        connections = [self.connect(daemon) for _ in range(20)]
        for connection in connections[::2]:
            self.assertEqual(connection.request("GET", "/healthz").status, 200)
        daemon.stop()
        for connection in connections:
            self.assertTrue(connection.ended(), "closed in good order, not reset")


class Endings(trackd.TestCase):
    def test_sigint_is_named_as_the_reason(self):
        self.assertEqual(self.start().stop(signal.SIGINT).reason, "SIGINT")

    def test_an_idle_daemon_ends_at_once(self):
        self.assertLess(self.start().stop().took, 30)

    def test_events_just_accepted_are_delivered_before_the_end(self):
        daemon = self.start()
        with daemon.connect() as connection:
            for number in range(200):
                connection.send(request_bytes("POST", "/events", f'{{"id":"e-{number}","data":1}}'))
            for _ in range(200):
                self.assertEqual(connection.response().status, 201)
        summary = daemon.stop()
        self.assertEqual(summary[:6], ("SIGTERM", 200, 200, 0, 0, 0))
        self.assertCountEqual(daemon.ids(), [f"e-{number}" for number in range(200)])
