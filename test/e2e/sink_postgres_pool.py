"""The postgres sink behind PgBouncer, whose other clients use the same session of the server."""
import threading
import unittest

from e2e.sink_postgres import PostgresCase, documented_table, setUpModule  # noqa: F401 (unittest calls setUpModule)
from support import trackd
from support.pgbouncer import PgBouncer, program
from support.postgres import Postgres

SETTINGS = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout", "client_encoding", "search_path",
            "application_name", "transaction_isolation", "transaction_read_only", "synchronous_commit", "role")


class BehindPgBouncer(PostgresCase):
    def start_pool(self, mode):
        program()
        server = Postgres.start(self)
        server.execute(documented_table())
        return server, PgBouncer.start(self, server, mode)

    def seen(self, pool):
        """The settings that another client finds, and what is left in the session."""
        columns = ", ".join(f"current_setting('{name}')" for name in SETTINGS if name != "application_name")
        return pool.query(f"SELECT concat_ws(';', {columns}, (SELECT count(*) FROM pg_prepared_statements), "
                          "(SELECT count(*) FROM pg_cursors), (SELECT count(*) FROM pg_listening_channels()))")

    def test_another_client_of_the_same_session_never_sees_a_setting_of_the_sink(self):
        server, pool = self.start_pool("transaction")
        before = self.seen(pool)
        self.assertEqual(before[0].split(";")[0], "0")
        daemon = self.start_with(server, port=pool.port, statement_timeout="7s", batch_events=40)
        seen = set()
        done = threading.Event()

        def neighbour():
            while not done.is_set():
                seen.update(self.seen(pool))
        thread = threading.Thread(target=neighbour)
        thread.start()
        try:
            for number in range(20):
                self.post_numbers(daemon, number * 100, 100)  # by COPY, and what comes again by INSERT
                self.post_numbers(daemon, number * 100, 3)
                self.assertEqual(pool.query("SHOW statement_timeout"), ["0"])
            daemon.wait_until_delivered()
            self.post_numbers(daemon, 0, 100, data='"again"')
            daemon.wait_until_delivered()
        finally:
            done.set()
            thread.join()
        self.assertEqual(seen, set(before))
        self.assertEqual(server.count(), 2000)
        self.assertEqual(self.seen(pool), before)

    def test_a_failed_write_leaves_no_transaction_to_the_next_client(self):
        server, pool = self.start_pool("transaction")
        server.execute("ALTER TABLE events ADD CONSTRAINT own CHECK (id NOT LIKE 'bad%')")
        daemon = self.start_with(server, port=pool.port)
        before = self.seen(pool)
        self.post_numbers(daemon, 0, 20)
        self.post_numbers(daemon, 0, 3, prefix="bad")
        self.post_numbers(daemon, 20, 20)

        def settled():
            self.assertEqual(self.seen(pool), before)
            return daemon.sink("postgres")["pending"] == 0
        trackd.wait_until(settled, "nothing is pending")
        self.assertEqual(server.count(), 40)
        self.assertEqual(daemon.sink("postgres")["dead_lettered"], 3)

    def test_each_event_is_there_once_though_the_servers_sessions_are_killed(self):
        for mode in ("transaction", "session"):
            with self.subTest(mode):
                server, pool = self.start_pool(mode)
                daemon = self.start_with(server, port=pool.port, batch_events=50)
                for number in range(40):
                    self.post_numbers(daemon, number * 100, 100)
                    if number % 4 == 0:
                        server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                                       " WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'")
                daemon.wait_until_delivered()
                self.assert_books_balance(daemon.status())
                self.assertEqual(daemon.stop().delivered, 4000)
                ids = server.ids()
                self.assertEqual((len(ids), len(set(ids))), (4000, 4000))


if __name__ == "__main__":
    unittest.main()
