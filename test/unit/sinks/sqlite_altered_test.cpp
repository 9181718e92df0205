// Tables that an operator has altered: what the SQLite sink does with them. docs/reliability.md has the table in words.
#include "helpers.hpp"
#include "sinks/sqlite.hpp"
#include "sqlite_user.hpp"
#include "support/captured_log.hpp"
#include "support/open_sqlite.hpp"

#include <memory>
#include <string>
#include <vector>

using namespace trackd;
using namespace std::chrono_literals;
using test::contains;
using test::count;
using test::error_of;
using test::open_sqlite;
using test::other_user;

namespace fs = std::filesystem;

namespace {

// The table again, with other columns or constraints. The text replaces a part of the original definition.
std::string
rebuild(const std::string& part, const std::string& replacement, const std::string& options = {}) {
    std::string columns =
        "id TEXT NOT NULL, source TEXT NOT NULL, type TEXT NOT NULL, time TEXT NOT NULL, received_at TEXT "
        "NOT "
        "NULL, subject TEXT, datacontenttype TEXT, data, extensions TEXT, PRIMARY KEY (source, id)";
    columns.replace(columns.find(part), part.size(), replacement);
    return "DROP TABLE events; CREATE TABLE events (" + columns + ')' + options;
}

enum class expected {
    stored,         // all events
    row_refused,    // those without a fault are stored, that with one is refused by itself
    nothing_written // the table does not fit
};

struct alteration {
    std::string sql;
    expected outcome;
    std::string error = {}; // a part of it
};

const std::vector<alteration>& alterations() {
    static const std::vector<alteration> all{
        // columns
        {"ALTER TABLE events ADD COLUMN note TEXT", expected::stored},
        {"ALTER TABLE events ADD COLUMN note TEXT NOT NULL DEFAULT ''", expected::stored},
        {rebuild("data,", "note TEXT NOT NULL, data,"), expected::nothing_written,
         "the column note of events is NOT NULL without a default"},
        {rebuild("PRIMARY KEY (source, id)", "n INTEGER PRIMARY KEY, UNIQUE (source, id)"), expected::stored},
        {"ALTER TABLE events DROP COLUMN extensions", expected::nothing_written,
         "the column extensions of events is missing"},
        {"ALTER TABLE events RENAME COLUMN type TO kind", expected::nothing_written,
         "the column type of events is missing"},
        {"ALTER TABLE events ADD COLUMN n GENERATED ALWAYS AS (data ->> '$.n') VIRTUAL",
         expected::row_refused, "malformed JSON"},
        {rebuild("data,", "data, n GENERATED ALWAYS AS (data ->> '$.n') STORED,"), expected::row_refused,
         "malformed JSON"},
        {rebuild("subject TEXT", "subject TEXT GENERATED ALWAYS AS (id)"), expected::nothing_written,
         "the column subject of events is generated"},
        {rebuild("subject TEXT", "subject TEXT NOT NULL"), expected::row_refused, "NOT NULL constraint failed"
        },
        // types
        {rebuild("id TEXT", "id INTEGER"), expected::nothing_written,
         "the column id of events has the type INTEGER"},
        {rebuild("data,", "data JSON,"), expected::nothing_written, "expected TEXT or no type"},
        {rebuild("data,", "data BLOB,"), expected::stored},
        {rebuild("data,", "data TEXT,"), expected::stored},
        {rebuild("time TEXT", "time TIMESTAMP"), expected::stored},
        {rebuild("data,", "data ANY,", " STRICT"), expected::stored},
        {rebuild("data,", "data INTEGER,", " STRICT"), expected::nothing_written, "expected TEXT or no type"},
        // keys
        {rebuild(", PRIMARY KEY (source, id)", ""), expected::nothing_written, "no unique key (source, id)"},
        {rebuild("PRIMARY KEY (source, id)", "PRIMARY KEY (id)"), expected::nothing_written,
         "no unique key (source, id)"},
        {rebuild("PRIMARY KEY (source, id)", "UNIQUE (id, source)"), expected::stored},
        {rebuild("id TEXT NOT NULL", "id TEXT NOT NULL COLLATE NOCASE"), expected::nothing_written,
         "by NOCASE"},
        {rebuild(", PRIMARY KEY (source, id)", "") +
             "; CREATE UNIQUE INDEX some ON events (source, id) WHERE type = 'order'",
         expected::nothing_written, "no unique key (source, id)"},
        {rebuild("PRIMARY KEY (source, id)", "PRIMARY KEY (source, id)", " WITHOUT ROWID"), expected::stored},
        {rebuild(
             "PRIMARY KEY (source, id)",
             "PRIMARY KEY (source, id), UNIQUE (data) ON /* all */ conflict\nREPLACE"
         ),
         expected::nothing_written, "ON CONFLICT REPLACE"},
        {rebuild("PRIMARY KEY (source, id)", "PRIMARY KEY (source, id), UNIQUE (data) ON CONFLICT IGNORE"),
         expected::row_refused, "the database ignored a row"},
        // indexes
        {"CREATE INDEX by_n ON events (data ->> '$.n')", expected::row_refused, "malformed JSON"},
        {"CREATE INDEX by_n ON events (data ->> '$.n') WHERE json_valid(data)", expected::stored},
        {"CREATE UNIQUE INDEX one_n ON events (data)", expected::row_refused, "UNIQUE constraint failed"},
        {"CREATE UNIQUE INDEX one_n ON events (substr(data, 1, 20))", expected::row_refused,
         "UNIQUE constraint failed"},
        {"CREATE UNIQUE INDEX some ON events (data) WHERE type = 'other'", expected::stored},
        // CHECKs and triggers
        {rebuild("data,", "data CHECK (json_valid(data)),"), expected::row_refused, "CHECK constraint failed"
        },
        {"CREATE TRIGGER veto BEFORE INSERT ON events WHEN new.data = 'fault' BEGIN SELECT RAISE(ABORT, 'not "
         "this one'); END",
         expected::row_refused, "not this one"},
        {"CREATE TRIGGER veto AFTER INSERT ON events WHEN new.data = 'fault' BEGIN SELECT RAISE(ROLLBACK, "
         "'not "
         "this one'); END",
         expected::row_refused, "not this one"},
        {"CREATE TRIGGER veto BEFORE INSERT ON events WHEN new.data = 'fault' BEGIN SELECT RAISE(IGNORE); "
         "END",
         expected::row_refused, "the database ignored a row"},
        {"CREATE TABLE seen (type UNIQUE); CREATE TRIGGER note AFTER INSERT ON events BEGIN INSERT OR IGNORE "
         "INTO seen VALUES (new.type); END",
         expected::stored},
        {"CREATE TRIGGER note AFTER INSERT ON events BEGIN INSERT INTO nowhere VALUES (1); END",
         expected::nothing_written, "no such table: main.nowhere"},
        // another object in its place
        {"DROP TABLE events", expected::nothing_written, "no such table: events"},
        {"ALTER TABLE events RENAME TO old; CREATE VIEW events AS SELECT * FROM old",
         expected::nothing_written, "events is a view"},
    };
    return all;
}

constexpr int number_of_alterations = 38;

// Numbered events of which the last but one has a fault: text that is no JSON, and that the table has already.
struct batch {
    explicit batch(std::size_t size, std::size_t first) {
        for (std::size_t i = 0; i < size; ++i) {
            ids.push_back(std::to_string(first + i));
            data.push_back(R"({"n":)" + std::to_string(first + i) + '}');
        }
        data[size - 2] = "fault";
        for (std::size_t i = 0; i < size; ++i)
            events.push_back(test::make_event(ids[i], data[i]));
        events[size - 2].kind = data_kind::text;
    }

    std::vector<std::string> ids;
    std::vector<std::string> data;
    std::vector<event_view> events;
};

// As a delivery does: halves until the event that is refused is alone, which is left out.
std::size_t write_halving(sink& to, std::span<const event_view> events, std::string& error) {
    try {
        test::write_all(to, events);
        return 0;
    } catch (const events_refused& refused) {
        error = refused.what();
        if (events.size() == 1) return 1;
    }
    const auto half = events.size() / 2;
    return write_halving(to, events.first(half), error) + write_halving(to, events.subspan(half), error);
}

} // namespace

TEST_CASE("an altered table takes each event, refuses a row by itself, or gets nothing", "[sinks][sqlite]") {
    const auto index = GENERATE(range(0, number_of_alterations));
    const auto size = GENERATE(4U, 50U);
    const auto& altered = alterations().at(static_cast<std::size_t>(index));
    INFO(altered.sql << ", batches of " << size);
    const test::temporary_directory directory;
    const auto path = directory / "events.db";
    auto sink = open_sqlite(path);
    test::write_all(*sink, test::numbered_events{1, 1000}); // its statements are prepared
    other_user{path}.run(altered.sql);
    other_user before{path};
    const bool unique =
        altered.error == "UNIQUE constraint failed" || contains(altered.sql, "CONFLICT IGNORE");
    if (unique)
        before.run("INSERT INTO events VALUES ('first', 'shop', 'order', 't', 't', NULL, NULL, 'fault', NULL)"
        );
    const batch written{size, 1};
    const auto is_there = [&](const std::string& id) {
        return before.one("SELECT count(*) FROM events WHERE id = '" + id + "'") == "integer:1";
    };
    if (altered.outcome == expected::nothing_written) {
        for (int again = 0; again < 2; ++again) {
            std::string error;
            try {
                sink->write(written.events, {});
            } catch (const events_refused&) {
                FAIL("the events were blamed");
            } catch (const std::exception& failure) {
                error = failure.what();
            }
            INFO(error);
            CHECK(contains(error, altered.error));
            sink = open_sqlite(path); // starts nevertheless, and says the same
        }
        return;
    }
    std::string error;
    const auto refused = write_halving(*sink, written.events, error);
    const bool all_refused = contains(altered.sql, "subject TEXT NOT NULL"); // none has one
    for (std::size_t i = 0; i < size; ++i) {
        const bool fault = altered.outcome == expected::row_refused && (i == size - 2 || all_refused);
        CHECK(is_there(written.ids[i]) == !fault);
    }
    CHECK(refused == (altered.outcome == expected::stored ? 0U : all_refused ? size : 1U));
    INFO(error);
    CHECK(contains(error, altered.error));
    if (refused == 0) CHECK(test::write_all(*sink, written.events) == size); // each is a duplicate now
}

TEST_CASE("every alteration is tried", "[sinks][sqlite]") {
    CHECK(alterations().size() == number_of_alterations);
}

TEST_CASE("a table that does not fit is written to again once it fits", "[sinks][sqlite]") {
    const test::temporary_directory directory;
    const auto path = directory / "events.db";
    other_user{(open_sqlite(path)->close(), path)}.run("ALTER TABLE events RENAME COLUMN type TO kind");
    const test::captured_log log;
    const auto sink = open_sqlite(path);
    CHECK(
        log.lines("error cannot use " + path.string() + ": the column type of events is missing").size() == 1
    );
    CHECK_THROWS(test::write_all(*sink, test::numbered_events{3}));
    other_user{path}.run("ALTER TABLE events RENAME COLUMN kind TO type");
    CHECK(test::write_all(*sink, test::numbered_events{3}) == 0);
    CHECK(count(path) == "integer:3");
}

TEST_CASE("an event that collides with a unique index of the operator's is no duplicate", "[sinks][sqlite]") {
    const test::temporary_directory directory;
    const auto path = directory / "events.db";
    const auto sink = open_sqlite(path);
    const std::vector first{test::make_event("first", R"({"order":7})")};
    test::write_all(*sink, first);
    other_user{path}.run("CREATE UNIQUE INDEX one_order ON events (data ->> '$.order')");
    const std::vector second{test::make_event("second", R"({"order":7})")};
    CHECK_THROWS_AS(sink->write(second, {}), events_refused);
    CHECK(test::write_all(*sink, first) == 1);
}

TEST_CASE("a table is checked before a write without a row being written", "[sinks][sqlite]") {
    const test::temporary_directory directory;
    const auto path = directory / "events.db";
    const auto sink = open_sqlite(path);
    test::write_all(*sink, test::numbered_events{30});
    other_user{path}.run(
        "CREATE TABLE copy AS SELECT * FROM events; DROP TABLE events; ALTER TABLE copy RENAME TO "
        "events"
    );
    CHECK(contains(
        error_of([&] { test::write_all(*sink, test::numbered_events{30, 31}); }), "no unique key (source, id)"
    ));
    CHECK(count(path) == "integer:30");
}
