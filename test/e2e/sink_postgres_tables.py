"""The postgres sink and tables that an operator has altered, before the start and under an open connection, in batches of 3
(by INSERT) and of 20 (by COPY). docs/reliability.md has the same rows as a table.
"""
import concurrent.futures
import json
import re
import threading
import unittest

from e2e.sink_postgres import OnOneServer, documented_table, setUpModule  # noqa: F401 (unittest calls setUpModule)
from support import trackd
from support.trackd import wait_until

EVENTS = 20
SIZES = {"small": 3, "large": EVENTS}


def trigger(body, when="BEFORE INSERT", on="{table}"):
    return ("CREATE FUNCTION {table}_f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN " + body + " END $$; "
            f"CREATE TRIGGER own {when} ON {on} FOR EACH ROW EXECUTE FUNCTION {{table}}_f()")


def retype(column, kind, using=None):
    return f"ALTER TABLE {{table}} ALTER {column} TYPE {kind}" + (f" USING {using}" if using else "")


def key(definition):
    return "ALTER TABLE {table} DROP CONSTRAINT {table}_pkey; " + definition


GOOD_KEY = "ALTER TABLE {table} ADD PRIMARY KEY (source, id)"
OTHERS = ", ".join(f"'e-{n}'" for n in range(EVENTS) if n != 1)


def partitioned(by, *partitions):
    """The documented table, anew, with partitions."""
    made = re.sub(r"^CREATE TABLE events|;$", lambda found: "CREATE TABLE {table}" if found[0] != ";" else "",
                  documented_table().strip())
    return "DROP TABLE {table}; " + made + f" PARTITION BY {by}; " + "; ".join(
        f"CREATE TABLE {{table}}_{number} PARTITION OF {{table}} {values}" for number, values in enumerate(partitions))


# What takes every event, each once.
FITS = {
    "a column that may be NULL": "ALTER TABLE {table} ADD note text",
    "a NOT NULL column with a default": "ALTER TABLE {table} ADD tenant text NOT NULL DEFAULT 'one'",
    "an identity column": "ALTER TABLE {table} ADD number bigint GENERATED ALWAYS AS IDENTITY",
    "a generated column": "ALTER TABLE {table} ADD kind text GENERATED ALWAYS AS (data ->> 'kind') STORED",
    "columns in another order": "ALTER TABLE {table} DROP data_text, DROP subject; "
                                "ALTER TABLE {table} ADD subject text, ADD data_text text",
    "the key in another order": key("ALTER TABLE {table} ADD UNIQUE (id, source) INCLUDE (type)"),
    "a second index on an expression": "CREATE INDEX ON {table} ((data ->> 'kind'))",
    "domains over the types": "CREATE DOMAIN {table}_d AS text CHECK (value <> ''); "
                              "CREATE DOMAIN {table}_j AS jsonb; "
                              "ALTER TABLE {table} ALTER type TYPE {table}_d, ALTER data TYPE {table}_j",
    "partitions for every event": partitioned("HASH (id)", "FOR VALUES WITH (MODULUS 2, REMAINDER 0)",
                                              "FOR VALUES WITH (MODULUS 2, REMAINDER 1)"),
    "a trigger that fills a NOT NULL column in":
        trigger("new.tenant := 'one'; RETURN new;") + "; ALTER TABLE {table} ADD tenant text NOT NULL",
    "a trigger after the row": trigger("PERFORM 1; RETURN NULL;", "AFTER INSERT"),
    "an unlogged table": "ALTER TABLE {table} SET UNLOGGED",
}

# What does not take every event: the alteration, parts of the error, and the repair.
MISFITS = {
    "data text": (retype("data", "text"), "column data is text, expected jsonb", retype("data", "jsonb", "data::jsonb")),
    "data json": (retype("data", "json"), "column data is json, expected jsonb", retype("data", "jsonb", "data::jsonb")),
    "data bytea": (retype("data", "bytea", "NULL"), "column data is bytea, expected jsonb",
                   retype("data", "jsonb", "NULL")),
    "time timestamp": (retype("time", "timestamp"), "column time is timestamp without time zone, expected timestamp with",
                       retype("time", "timestamptz")),
    "time timestamptz(0)": (retype("time", "timestamptz(0)"), "column time is timestamp(0) with time zone, expected",
                            retype("time", "timestamptz")),
    "id varchar(9)": (retype("id", "varchar(9)"), "column id is character varying(9), expected text", retype("id", "text")),
    "a domain over varchar(9)": ("CREATE DOMAIN {table}_v AS varchar(9); " + retype("id", "{table}_v"),
                                 "column id is {table}_v, expected text", retype("id", "text")),
    "data_bytes text": (retype("data_bytes", "text", "NULL"), "column data_bytes is text, expected bytea",
                        retype("data_bytes", "bytea", "NULL")),
    "a renamed column": ("ALTER TABLE {table} RENAME subject TO about", "column subject is missing, expected text",
                         "ALTER TABLE {table} RENAME about TO subject"),
    "a dropped column": ("ALTER TABLE {table} DROP extensions", "column extensions is missing, expected jsonb",
                         "ALTER TABLE {table} ADD extensions jsonb"),
    "a generated column of the sink": (
        "ALTER TABLE {table} DROP data_text; ALTER TABLE {table} ADD data_text text GENERATED ALWAYS AS (id) STORED",
        "column data_text is generated", "ALTER TABLE {table} ALTER data_text DROP EXPRESSION"),
    "a NOT NULL column without a default": (
        "ALTER TABLE {table} ADD tenant text NOT NULL DEFAULT 'one'; ALTER TABLE {table} ALTER tenant DROP DEFAULT",
        "column tenant is NOT NULL and has no default", "ALTER TABLE {table} ALTER tenant SET DEFAULT 'one'"),
    "no key": (key("SELECT 1"), "the key is missing, expected a unique index on (source, id)", GOOD_KEY),
    "a key on id": (key("ALTER TABLE {table} ADD PRIMARY KEY (id)"), "found {table}_pkey on (id)",
                    "ALTER TABLE {table} ADD UNIQUE (source, id)"),
    "a deferrable key": (key("ALTER TABLE {table} ADD CONSTRAINT {table}_pkey UNIQUE (source, id) DEFERRABLE"),
                         "found {table}_pkey deferrable", key(GOOD_KEY)),
    "a partial key": (key("CREATE UNIQUE INDEX {table}_part ON {table} (source, id) WHERE subject IS NULL"),
                      "found {table}_part partial", GOOD_KEY),
    "a key that takes A and a as equal": (
        "CREATE COLLATION IF NOT EXISTS folded (provider = icu, locale = 'und-u-ks-level2', deterministic = false); "
        "ALTER TABLE {table} ALTER id TYPE text COLLATE folded",
        "found {table}_pkey with a collation", 'ALTER TABLE {table} ALTER id TYPE text COLLATE "C"'),
    "a rule": ("CREATE RULE away AS ON INSERT TO {table} DO INSTEAD NOTHING", "it has the rules away, expected none",
               "DROP RULE away ON {table}"),
    "a view": ("ALTER TABLE {table} RENAME TO {table}_real; CREATE VIEW {table} AS SELECT * FROM {table}_real",
               "it is a view, expected a table", "DROP VIEW {table}; ALTER TABLE {table}_real RENAME TO {table}"),
    "a view with a trigger": (
        "ALTER TABLE {table} RENAME TO {table}_real; CREATE VIEW {table} AS SELECT * FROM {table}_real; "
        + trigger("RETURN new;", "INSTEAD OF INSERT"),
        "it is a view, expected a table", "DROP VIEW {table}; ALTER TABLE {table}_real RENAME TO {table}"),
    "a dropped table": ("ALTER TABLE {table} RENAME TO {table}_away", 'relation "{table}" does not exist',
                        "ALTER TABLE {table}_away RENAME TO {table}"),
}

# What refuses the event e-1 alone.
REFUSALS = {
    "a CHECK": ("ALTER TABLE {table} ADD CONSTRAINT own CHECK (id <> 'e-1')", 'violates check constraint "own"'),
    "a trigger that raises an error": (trigger("IF new.id = 'e-1' THEN RAISE 'not this one'; END IF; RETURN new;"),
                                       "not this one"),
    "a trigger that skips the row": (trigger("IF new.id = 'e-1' THEN RETURN NULL; END IF; RETURN new;"),
                                     "a trigger has skipped the row without an error"),
    "a unique index of another kind": (
        "CREATE UNIQUE INDEX {table}_own ON {table} ((CASE WHEN id IN ('e-0', 'e-1') THEN 'same' ELSE id END))",
        'violates unique constraint "{table}_own"'),
    "an exclusion constraint": (
        "ALTER TABLE {table} ADD CONSTRAINT {table}_own "
        "EXCLUDE ((CASE WHEN id IN ('e-0', 'e-1') THEN 'same' ELSE id END) WITH =)",
        'violates exclusion constraint "{table}_own"'),
    "a domain's CHECK": ("CREATE DOMAIN {table}_d AS text CHECK (value <> 'e-1'); " + retype("id", "{table}_d"),
                         "violates check constraint"),
    "a partition that is missing": (partitioned("LIST (id)", f"FOR VALUES IN ({OTHERS})"), "no partition of relation"),
    "a partition with a trigger that skips the row": (
        partitioned("HASH (id)", "FOR VALUES WITH (MODULUS 1, REMAINDER 0)") + "; "
        + trigger("IF new.id = 'e-1' THEN RETURN NULL; END IF; RETURN new;", on="{table}_0"),
        "a trigger has skipped the row without an error"),
    "a deferred constraint": (
        "CREATE FUNCTION {table}_f() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN IF new.id = 'e-1' THEN RAISE 'not at the end'; END IF; RETURN NULL; END $$; "
        "CREATE CONSTRAINT TRIGGER own AFTER INSERT ON {table} DEFERRABLE INITIALLY DEFERRED "
        "FOR EACH ROW EXECUTE FUNCTION {table}_f()", "not at the end"),
}


class AlteredTables(OnOneServer):
    """Each alteration is tried on two tables at once, one for each size of batches."""

    def start_on(self, server):
        sinks = [server.sink(create_table=False, table=name, batch_events=count)[1:-1].replace('"postgres"', f'"{name}"', 1)
                 for name, count in SIZES.items()]
        return self.start({"sinks": "[" + ", ".join(sinks) + "]", "tracker.retry.max": "100ms"})

    def alter(self, server, sql):
        for name in SIZES:
            server.execute("BEGIN; " + sql.replace("{table}", name) + "; COMMIT")

    def make_tables(self, server):
        for name in SIZES:
            server.execute(documented_table().replace("TABLE events", f"TABLE {name}"))

    def each(self, alterations, check):
        """A daemon that starts after the alteration, and one that has written before it."""
        for name, alteration in alterations.items():
            for under_connection in (False, True):
                with self.subTest(alteration=name, under_connection=under_connection):
                    server = self.shared.new_database()
                    self.make_tables(server)
                    daemon = self.start_altered(server, under_connection, alteration)
                    self.post_numbers(daemon, 0, EVENTS)
                    check(server, daemon, alteration)
                    daemon.kill()

    def start_altered(self, server, under_connection, alteration):
        sql = alteration if isinstance(alteration, str) else alteration[0]
        if not under_connection:
            self.alter(server, sql)
            return self.start_on(server)
        daemon = self.start_on(server)
        self.post_numbers(daemon, 0, 12, prefix="before")
        daemon.wait_until_delivered()
        for name in SIZES:
            server.execute(f"DELETE FROM {name}")  # so that each alteration is possible
        self.alter(server, sql)
        return daemon

    def check_all_there(self, server, daemon, missing=0):
        """The events are there, what comes again is recognised, and the books say so."""
        for name in SIZES:
            wait_until(lambda: daemon.sink(name)["pending"] == 0, f"{name} has nothing pending: {daemon.sink(name)}")
            wanted = [f"e-{n}" for n in range(EVENTS) if n != 1 or not missing]
            self.assertCountEqual(server.execute(f"SELECT id FROM {name}").split(), wanted)
            sink = daemon.sink(name)
            self.assertEqual(sink["dead_lettered"], missing, sink)
        self.assert_books_balance(daemon.status())

    def check_fits(self, server, daemon, _):
        self.check_all_there(server, daemon)
        self.post_numbers(daemon, 0, EVENTS)
        self.check_all_there(server, daemon)
        for name in SIZES:
            self.assertEqual(daemon.sink(name)["duplicates"], EVENTS)

    def check_misfit(self, server, daemon, alteration):
        _, error, repair = alteration
        for name in SIZES:
            text = self.error_of(daemon, name, error.replace("{table}", name))
            self.assertIn(f"table {name} of database {server.database} at 127.0.0.1:{server.port}: ", text)
            sink = daemon.sink(name)
            self.assertEqual((sink["pending"], sink["dead_lettered"]), (EVENTS, 0), sink)
        self.alter(server, repair)
        self.check_all_there(server, daemon)

    def check_refusal(self, server, daemon, alteration):
        self.check_all_there(server, daemon, missing=1)
        for name in SIZES:
            letter = json.loads(daemon.letters("show", name).stdout)
            self.assertEqual(letter["event"]["id"], "e-1")
            self.assertIn(alteration[1].replace("{table}", name), letter["reason"])
            self.assertIn(f"table {name} of database {server.database} at 127.0.0.1:{server.port}: ", letter["reason"])

    def test_what_takes_every_event(self):
        self.each(FITS, self.check_fits)

    def test_what_does_not_is_named_and_nothing_is_written_until_it_is_repaired(self):
        self.each(MISFITS, self.check_misfit)

    def test_what_refuses_one_event_refuses_no_other(self):
        self.each(REFUSALS, self.check_refusal)

    def test_a_type_that_changes_to_and_fro_under_writes_never_takes_bytes_that_are_no_json(self):
        server = self.shared.new_database()
        self.make_tables(server)
        daemon = self.start_on(server)
        done = threading.Event()

        def alter():
            while not done.is_set():
                self.alter(server, retype("data", "text"))
                self.alter(server, retype("data", "jsonb", "data::jsonb"))  # which fails for what is no JSON
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            altering = pool.submit(alter)
            for number in range(30):
                self.post_numbers(daemon, number * EVENTS, EVENTS)
            wait_until(lambda: altering.done() or daemon.sink("large")["delivered"] > 10 * EVENTS, "some are delivered")
            done.set()
            altering.result()
        daemon.wait_until_delivered()
        for name in SIZES:
            self.assertEqual(server.count(f"{name} WHERE id = 'e-' || (data #>> '{{}}')"), 30 * EVENTS)
            self.assertEqual(daemon.sink(name)["dead_lettered"], 0)

    def test_an_error_of_a_triggers_own_leaves_the_connection_open(self):
        server = self.shared.new_database()
        self.make_tables(server)
        sessions = f"SELECT pid FROM pg_stat_activity WHERE datname = '{server.database}' AND application_name = 'trackd'"
        daemon = self.start_on(server)
        self.post_numbers(daemon, 0, EVENTS)
        daemon.wait_until_delivered()
        before = sorted(server.execute(sessions).split())
        self.alter(server, trigger("RAISE 'closed today' USING ERRCODE = 'TR001';"))
        self.post_numbers(daemon, EVENTS, EVENTS)
        for name in SIZES:
            self.assertIn("(SQLSTATE TR001)", self.error_of(daemon, name, "closed today"))
        self.assertEqual(sorted(server.execute(sessions).split()), before)
        self.alter(server, "DROP TRIGGER own ON {table}")
        daemon.wait_until_delivered()
        for name in SIZES:
            self.assertEqual((server.count(name), daemon.sink(name)["dead_lettered"]), (2 * EVENTS, 0))


class Privileges(OnOneServer):
    def test_columns_that_the_user_may_not_write_or_compare_are_named(self):
        server = self.shared.new_database()
        user = f"user_{server.database}"
        server.execute(f"CREATE USER {user}; " + documented_table() + f" GRANT INSERT ON events TO {user}; "
                       f"GRANT SELECT (id) ON events TO {user}")
        daemon = self.start_with(server, connection=server.conninfo(user=user))
        self.post_numbers(daemon, 0, EVENTS)
        self.assertIn("(SQLSTATE 42501)", self.error_of(daemon, "postgres", f"the user {user} lacks SELECT on source"))
        server.execute(f"GRANT SELECT (source) ON events TO {user}")
        daemon.wait_until_delivered()
        server.execute(f"REVOKE INSERT ON events FROM {user}; GRANT INSERT (id, source) ON events TO {user}")
        self.post_numbers(daemon, EVENTS, EVENTS)
        self.error_of(daemon, "postgres", f"the user {user} lacks INSERT on type, time, received_at, subject, ")
        self.assertEqual(daemon.sink("postgres")["dead_lettered"], 0)
        columns = server.rows("SELECT string_agg(attname, ', ') AS names FROM pg_attribute"
                              " WHERE attrelid = 'events'::regclass AND attnum > 0")[0]["names"]
        server.execute(f"GRANT INSERT ({columns}) ON events TO {user}")
        daemon.wait_until_delivered()
        self.assertEqual(server.count(), 2 * EVENTS)

    def test_row_security_is_obeyed_and_duplicates_are_recognised(self):
        server = self.shared.new_database()
        user = f"user_{server.database}"
        server.execute(f"CREATE USER {user}; " + documented_table() + f" GRANT INSERT, SELECT ON events TO {user}; "
                       "ALTER TABLE events ENABLE ROW LEVEL SECURITY; "
                       f"CREATE POLICY own ON events TO {user} USING (true) WITH CHECK (id <> 'forbidden')")
        daemon = self.start_with(server, {"tracker.ack": "delivered"}, connection=server.conninfo(user=user))
        self.post_numbers(daemon, 0, EVENTS)
        self.post_numbers(daemon, 0, EVENTS)
        self.assertEqual(daemon.sink("postgres")["duplicates"], EVENTS)
        self.assertEqual(server.count(), EVENTS)


if __name__ == "__main__":
    unittest.main()
