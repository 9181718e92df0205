"""The postgres sink, with a real server: what is stored where, each once, and a server in trouble."""
import contextlib
import re
import shutil
import socket

from support import tls, trackd
from support.cut_proxy import CutProxy
from support.postgres import Postgres, SharedServer, require

QUICK_RETRY = {"tracker.retry.max": "100ms"}


def setUpModule():
    require()


def documented_table():
    """The statement that docs/sinks.md shows."""
    text = (trackd.ROOT / "docs" / "sinks.md").read_text()
    return re.search(r"```sql\n(CREATE TABLE events \(.*?\);)\n```", text, re.DOTALL)[1]


class PostgresCase(trackd.TestCase):
    def start_with(self, server, settings=None, **options):
        return self.start({"sinks": server.sink(**options), **QUICK_RETRY, **(settings or {})})


class OnOneServer(SharedServer, PostgresCase):
    """Each test has a database of its own."""


class WhatIsStored(OnOneServer):
    def test_each_kind_of_data_has_its_column(self):
        server = self.shared.new_database()
        daemon = self.start_with(server)
        posts = (
            ('{"id":"short","source":"/shop","type":"order","subject":"s","time":"2026-01-02T03:04:05.678901Z",'
             '"data":{"b":1.50,"a":[null]}}', "application/json"),
            ('{"id":"nul","data":"a\\u0000b"}', "application/json"),
            ('{"id":"beyond","data":[1e999999]}', "application/json"),
            ('{"specversion":"1.0","id":"none","source":"s","type":"t","traceparent":"00-1","sampledrate":3}',
             "application/cloudevents+json"),
            ('{"specversion":"1.0","id":"text","source":"s","type":"t","datacontenttype":"text/plain",'
             '"data":"two\\nlines \\u20ac"}', "application/cloudevents+json"),
            ('{"specversion":"1.0","id":"bytes","source":"s","type":"t","datacontenttype":"image/png",'
             '"data_base64":"AP8="}', "application/cloudevents+json"),
        )
        for body, content_type in posts:
            self.assertEqual(daemon.post(body, content_type=content_type).status, 201)
        self.assertEqual(daemon.stop().delivered, len(posts))
        rows = {row["id"]: row for row in server.rows("SELECT * FROM events")}
        short = rows["short"]
        self.assertEqual((short["source"], short["type"], short["subject"]), ("/shop", "order", "s"))
        self.assertEqual(short["time"], "2026-01-02T03:04:05.678901+00:00")
        self.assertEqual((short["data"], short["extensions"]), ({"a": [None], "b": 1.5}, None))
        self.assertEqual(server.execute("SELECT data->>'b' FROM events WHERE id = 'short'").strip(), "1.50")
        self.assertEqual(rows["nul"]["data_text"], '"a\\u0000b"')
        self.assertEqual(rows["beyond"]["data_text"], "[1e999999]")
        self.assertEqual(rows["none"]["extensions"], {"traceparent": "00-1", "sampledrate": 3})
        self.assertEqual((rows["text"]["data_text"], rows["text"]["datacontenttype"]), ("two\nlines €", "text/plain"))
        self.assertEqual(rows["bytes"]["data_bytes"], "\\x00ff")
        used = {name: [column for column in ("data", "data_text", "data_bytes") if row[column] is not None]
                for name, row in rows.items()}
        self.assertEqual(used, {"short": ["data"], "nul": ["data_text"], "beyond": ["data_text"], "none": [],
                                "text": ["data_text"], "bytes": ["data_bytes"]})
        age = server.rows("SELECT max(abs(extract(epoch FROM now() - received_at))) AS seconds FROM events")
        self.assertLess(age[0]["seconds"], 3600)

    def test_json_as_deep_as_can_be_posted_is_taken(self):
        server = self.shared.new_database()
        daemon = self.start_with(server)
        deep = "[" * 120 + "]" * 120
        self.assertEqual(daemon.post('{"id":"deep","data":' + deep + "}").status, 201)
        self.assertEqual(daemon.stop().delivered, 1)
        self.assertEqual(server.execute("SELECT data FROM events").strip(), deep)

    def test_an_event_that_comes_again_is_there_once(self):
        server = self.shared.new_database()
        daemon = self.start_with(server, {"tracker.ack": "delivered"})
        self.post_numbers(daemon, 0, 3)  # few, and many: by INSERT, and by COPY
        self.post_numbers(daemon, 0, 3)
        self.assertEqual(daemon.sink("postgres")["duplicates"], 3)
        self.post_numbers(daemon, 100, 100)
        self.assertEqual(daemon.sink("postgres")["duplicates"], 3)
        self.post_numbers(daemon, 50, 100)
        self.assertEqual(daemon.sink("postgres")["duplicates"], 53)
        within = "\n".join('{"id":"twice","data":1}' for _ in range(20))
        self.assertEqual(daemon.post(within, content_type="application/x-ndjson").status, 201)
        self.assertEqual(daemon.sink("postgres")["duplicates"], 72)
        self.assert_books_balance(daemon.status())
        self.assertEqual(daemon.stop().delivered, 226)
        self.assertCountEqual(server.ids(), ["e-0", "e-1", "e-2", "twice"] + [f"e-{n}" for n in range(50, 200)])

    def test_a_table_in_a_schema_with_letters_of_both_cases(self):
        server = self.shared.new_database()
        server.execute('CREATE SCHEMA "Tracking"')
        daemon = self.start_with(server, table='Tracking.My "Events"')
        self.post_numbers(daemon, 0, 20)
        self.assertEqual(daemon.stop().delivered, 20)
        self.assertEqual(server.count('"Tracking"."My ""Events"""'), 20)

    def test_the_table_that_the_documents_show_is_the_one_that_is_made(self):
        server = self.shared.new_database()
        shape = ("SELECT column_name, data_type, is_nullable FROM information_schema.columns"
                 " WHERE table_name = 'events' ORDER BY ordinal_position")
        daemon = self.start_with(server)
        self.post_numbers(daemon, 0, 1)
        self.assertEqual(daemon.stop().delivered, 1)
        made = server.rows(shape)
        server.execute("DROP TABLE events; " + documented_table())
        self.assertEqual(server.rows(shape), made)

    def test_tls_and_a_password(self):
        server = Postgres()
        self.addCleanup(server.remove)
        certificate, key = tls.certificate(server.directory)
        key.chmod(0o600)
        if server.owner:
            for path in (certificate, key):
                shutil.chown(path, "postgres", "postgres")
        ssl = ("ssl=on", f"ssl_cert_file={certificate}", f"ssl_key_file={key}")
        server.run(*ssl)
        server.execute("CREATE USER writer PASSWORD 'it''s \\ secret'; "
                       + documented_table() + "; GRANT INSERT, SELECT ON events TO writer")
        (server.directory / "data" / "pg_hba.conf").write_text(
            "hostssl all writer 127.0.0.1/32 scram-sha-256\nhostnossl all writer 127.0.0.1/32 reject\n"
            "host all postgres 127.0.0.1/32 trust\n")
        server.stop()
        server.run(*ssl)
        connection = server.conninfo(user="writer") + f" sslmode=verify-full sslrootcert={certificate}"
        daemon = self.start({"sinks": server.sink(connection=connection, create_table=False), **QUICK_RETRY},
                            environment={"PGPASSWORD": "wrong"})
        self.post_numbers(daemon, 0, 20)
        self.error_of(daemon, "postgres", 'password authentication failed for user "writer"')
        daemon.stop()
        after = self.restart(daemon, environment={"PGPASSWORD": "it's \\ secret"})
        after.wait_until_delivered()
        self.assertEqual(server.count(), 20)


class WhatAnOperatorMends(OnOneServer):
    """Each is shown with what to do, and the events go in without a restart when it is done."""

    def check(self, server, mending, *parts, **options):
        daemon = self.start_with(server, **options)
        self.post_numbers(daemon, 0, 20)
        error = self.error_of(daemon, "postgres", parts[0])
        for part in parts:
            self.assertIn(part, error)
        self.assertEqual(daemon.sink("postgres")["pending"], 20)
        server.execute(mending)
        daemon.wait_until_delivered()
        self.assertEqual(daemon.stop().delivered, 20)

    def test_a_missing_table(self):
        server = self.shared.new_database()
        self.check(server, documented_table(), 'relation "events" does not exist', "(SQLSTATE 42P01)",
                   "create_table = true", f"table events of database {server.database} at 127.0.0.1:{server.port}",
                   create_table=False)
        self.assertEqual(server.count(), 20)

    def test_a_missing_schema(self):
        server = self.shared.new_database()
        self.check(server, "CREATE SCHEMA tracking", "SQLSTATE 3F000", "make the schema", table="tracking.events")

    def test_a_missing_permission(self):
        server = self.shared.new_database()
        server.execute("CREATE USER clerk; " + documented_table())
        self.check(server, "GRANT INSERT, SELECT ON events TO clerk", "SQLSTATE 42501", "needs INSERT",
                   connection=server.conninfo(user="clerk"))

    def test_a_missing_database(self):
        server = self.shared.new_database()
        self.check(server, "CREATE DATABASE tracking", 'database "tracking" does not exist',
                   connection=server.conninfo("tracking"))

    def test_a_table_without_its_key(self):
        server = self.shared.new_database()
        server.execute(documented_table() + " ALTER TABLE events DROP CONSTRAINT events_pkey")
        daemon = self.start_with(server)
        self.post_numbers(daemon, 0, 3)  # INSERT needs it; COPY would not
        self.assertIn("expected PRIMARY KEY (source, id)", self.error_of(daemon, "postgres", "SQLSTATE 42P10"))

    def test_a_foreign_table(self):
        server = self.shared.new_database()
        server.execute("CREATE TABLE events (id int)")
        self.check(server, "DROP TABLE events", "SQLSTATE 42703", "the columns that docs/sinks.md shows")

    def test_an_encoding_that_does_not_take_all_events(self):
        server = self.shared.new_database()
        server.execute("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
        daemon = self.start_with(server, connection=server.conninfo("latin"))
        self.post_numbers(daemon, 0, 1)
        self.assertIn("has the encoding LATIN1; expected UTF8", self.error_of(daemon, "postgres", "encoding"))

    def test_what_somebody_elses_constraint_forbids(self):
        server = self.shared.new_database()
        server.execute(documented_table() + " ALTER TABLE events ADD CONSTRAINT no_poison CHECK (id <> 'poison')")
        daemon = self.start_with(server)
        self.assertEqual(daemon.post({"id": "poison", "data": 1}).status, 201)
        daemon.log.wait_for('violates check constraint "no_poison".*SQLSTATE 23514')
        server.execute("ALTER TABLE events DROP CONSTRAINT no_poison")
        self.post_numbers(daemon, 0, 20)

        def settled():
            sink = daemon.sink("postgres")
            return sink["delivered"] + sink["dead_lettered"] == 21
        trackd.wait_until(settled, "nothing is pending")
        self.assertEqual(server.count() + daemon.sink("postgres")["dead_lettered"], 21)


class InTrouble(PostgresCase):
    def test_a_server_that_is_down_at_the_start(self):
        server = Postgres.start(self)
        server.stop()
        daemon = self.start_with(server)
        self.post_numbers(daemon, 0, 20)
        self.assertIn(f"port {server.port} failed", self.error_of(daemon, "postgres", "cannot connect to PostgreSQL"))
        server.run()
        daemon.wait_until_delivered()
        self.assertEqual(daemon.stop().delivered, 20)
        self.assertEqual(server.count(), 20)

    def test_a_host_that_answers_nobody_is_passed_over_for_the_next(self):
        server = Postgres.start(self)
        with contextlib.ExitStack() as held:
            silent = held.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
            for _ in range(3):  # they fill its queue, so that the system drops whoever comes then
                waiting = held.enter_context(socket.socket())
                waiting.setblocking(False)
                waiting.connect_ex(silent.getsockname())
            connection = (f"host=127.0.0.1,127.0.0.1 port={silent.getsockname()[1]},{server.port}"
                          " dbname=postgres user=postgres target_session_attrs=read-write")
            daemon = self.start_with(server, connection=connection, connect_timeout="500ms")
            self.post_numbers(daemon, 0, 20)
            daemon.wait_until_delivered()
        self.assertEqual(server.count(), 20)

    def test_a_restart_between_two_writes_fails_none(self):
        server = Postgres.start(self)
        daemon = self.start_with(server, {"tracker.ack": "delivered"})
        self.post_numbers(daemon, 0, 20)
        server.stop()
        server.run()
        self.post_numbers(daemon, 20, 20)
        self.assertEqual(daemon.sink("postgres")["retries"], 0)
        self.assertEqual(server.count(), 40)

    def test_a_server_that_does_not_answer_any_more(self):
        server = Postgres.start(self)
        daemon = self.start_with(server, statement_timeout="100ms", connect_timeout="100ms")
        self.post_numbers(daemon, 0, 20)
        daemon.wait_until_delivered()
        server.pause()
        self.post_numbers(daemon, 20, 20)
        self.error_of(daemon, "postgres", "does not answer in time")
        server.resume()
        daemon.wait_until_delivered()
        self.assertEqual(daemon.stop().delivered, 40)
        self.assertEqual(server.count(), 40)

    def test_a_daemon_that_is_told_to_end_does_not_wait_for_a_server_that_does_not_answer(self):
        server = Postgres.start(self)
        daemon = self.start_with(server, {"shutdown.drain_timeout": "500ms"}, statement_timeout="1h",
                                 connect_timeout="1h")
        self.post_numbers(daemon, 0, 20)
        daemon.wait_until_delivered()
        server.pause()
        self.post_numbers(daemon, 20, 20)
        summary = daemon.stop()
        self.assertEqual((summary.delivered, summary.pending), (20, 20))
        server.resume()
        after = self.restart(daemon)
        after.wait_until_delivered()
        self.assertEqual(server.count(), 40)

    def test_a_write_that_takes_too_long_is_ended_by_the_server(self):
        server = Postgres.start(self)
        server.execute(documented_table())
        daemon = self.start_with(server, statement_timeout="100ms")
        server.execute("CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS "
                       "$$ BEGIN PERFORM pg_sleep(3600); RETURN new; END $$; "
                       "CREATE TRIGGER slow BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION wait()")
        self.post_numbers(daemon, 0, 20)
        self.assertIn("longer than statement_timeout", self.error_of(daemon, "postgres", "SQLSTATE 57014"))
        server.execute("DROP TRIGGER slow ON events")
        daemon.wait_until_delivered()
        self.assertEqual(daemon.stop().delivered, 20)
        self.assertEqual(server.count(), 20)

    def test_a_commit_whose_answer_is_lost_is_no_second_row(self):
        server = Postgres.start(self)
        proxy = CutProxy(("127.0.0.1", server.port))
        self.addCleanup(proxy.close)
        daemon = self.start_with(server, port=proxy.port)
        self.post_numbers(daemon, 0, 20)
        daemon.wait_until_delivered()
        proxy.mute()
        self.post_numbers(daemon, 20, 1)
        trackd.wait_until(lambda: server.count() == 21, "it is committed")
        self.assertEqual(daemon.sink("postgres")["delivered"], 20)
        proxy.cut()
        daemon.wait_until_delivered()
        sink = daemon.sink("postgres")
        self.assertEqual((sink["delivered"], sink["duplicates"]), (21, 1))
        self.assertEqual(server.count(), 21)
        self.assertEqual(proxy.connections, 2)
