// Old rows that are deleted, and a write-ahead log that does not grow for ever.
#include "helpers.hpp"
#include "sinks/sqlite.hpp"
#include "sinks/sqlite_upkeep.hpp"
#include "sqlite_user.hpp"
#include "support/captured_log.hpp"

#include <algorithm>

using namespace trackd;
using namespace std::chrono_literals;
using test::contains;
using test::other_user;

namespace fs = std::filesystem;

namespace {

constexpr auto received = test::noon + 1h; // as `test::make_event` says

constexpr std::uint64_t one_mebibyte = 1024 * 1024;

// A sink whose time of day stands still until the test sets it, or goes on by a step each time somebody asks.
struct kept_database {
    explicit kept_database(std::chrono::milliseconds keep = 1h, std::uint64_t log_bytes = one_mebibyte)
        : sink{sinks::make_sqlite_sink({
              .path = path,
              .keep = keep,
              .busy_timeout = 10ms,
              .log_bytes = log_bytes,
              .now = [this] { return std::exchange(now, now + step); },
          })} {
        sink->open();
    }

    void write(std::size_t count, std::size_t first = 1) {
        test::write_all(*sink, test::numbered_events{count, first});
    }

    // At another time than they came, they say.
    void write_received_at(wall_time when, std::size_t count, std::size_t first) {
        write_changed(count, first, [&](event_view& event) { event.received_at = when; });
    }

    // Each row takes a page.
    void write_pages(std::size_t count, std::size_t first) {
        const std::string data = '"' + std::string(3000, 'x') + '"';
        write_changed(count, first, [&](event_view& event) { event.data = data; });
    }

    template <typename Change>
    void write_changed(std::size_t count, std::size_t first, Change change) {
        const test::numbered_events numbered{count, first};
        const std::span<const event_view> all = numbered;
        std::vector events(all.begin(), all.end());
        std::ranges::for_each(events, change);
        test::write_all(*sink, events);
    }

    // Goes on by this, as the clock does: minute by minute, with upkeep in each, but for the last moment.
    void pass_time(wall_time::duration time) {
        for (const auto until = now + time; now < until;) {
            now = std::min<wall_time>(until, now + 1min);
            if (now < until) upkeep();
        }
    }

    // Until there is nothing more to do.
    std::size_t upkeep() {
        std::size_t portions = 1;
        while (sink->upkeep({}))
            ++portions;
        return portions;
    }

    [[nodiscard]] std::uint64_t log_size() const { return fs::file_size(path.string() + "-wal"); }

    test::temporary_directory directory;
    fs::path path = directory / "events.db";
    wall_time now = received;
    wall_time::duration step{0};
    std::unique_ptr<trackd::sink> sink;
};

} // namespace

TEST_CASE("rows are deleted when they are older than keep, and not before", "[sinks][sqlite]") {
    kept_database database;
    database.write(5);
    database.write_received_at(received + 30min, 5, 6);
    database.pass_time(1h);
    database.upkeep();
    CHECK(test::count(database.path) == "integer:10");
    database.now += 1us;
    database.upkeep();
    const auto left = other_user{database.path}.rows("SELECT id FROM events ORDER BY rowid");
    REQUIRE(left.size() == 5);
    CHECK(left.front() == std::vector<std::string>{"text:6"});
    database.pass_time(30min);
    database.upkeep();
    CHECK(test::count(database.path) == "integer:0");
    CHECK(database.upkeep() == 1); // of an empty table
}

TEST_CASE("without keep rows stay", "[sinks][sqlite]") {
    kept_database database{0ms};
    database.write(5);
    database.now = received + 10 * 365 * 24h;
    CHECK(database.upkeep() == 1);
    CHECK(test::count(database.path) == "integer:5");
}

TEST_CASE("a portion of upkeep deletes no more than three thousand rows, the oldest", "[sinks][sqlite]") {
    kept_database database;
    database.pass_time(2h);
    database.write(6500);
    CHECK(database.sink->upkeep({}));
    CHECK(other_user{database.path}.one("SELECT min(rowid) FROM events") == "integer:3001");
    CHECK(database.upkeep() == 2);
    CHECK(test::count(database.path) == "integer:0");
}

TEST_CASE("rows that come of age while others are deleted wait for the next pass", "[sinks][sqlite]") {
    kept_database database;
    for (std::size_t i = 1; i <= 50; ++i)
        database.write_received_at(received + i * 1s, 1, i);
    database.pass_time(1h + 10s);
    database.step = 1s;
    CHECK(database.upkeep() == 1);
    CHECK(test::count(database.path) == "integer:41");
    database.now = received + 1h + 30s;
    CHECK(database.upkeep() == 1);
    CHECK(test::count(database.path) == "integer:21");
}

TEST_CASE("while deleting goes on the write-ahead log is looked at once a minute", "[sinks][sqlite]") {
    kept_database database;
    const test::captured_log log;
    database.pass_time(2h);
    database.write(9500);
    REQUIRE(database.sink->upkeep({}));
    other_user reader{database.path};
    reader.run("BEGIN");
    reader.one("SELECT count(*) FROM events");
    database.write_pages(1000, 10'000);
    database.now += 59s;
    REQUIRE(database.sink->upkeep({}));
    CHECK(log.lines("has grown").empty());
    database.now += 1s;
    REQUIRE(database.sink->upkeep({}));
    CHECK(log.lines("has grown").size() == 1);
}

TEST_CASE("upkeep that is told to stop deletes nothing", "[sinks][sqlite]") {
    kept_database database;
    database.pass_time(2h);
    database.write(5);
    std::stop_source stop;
    stop.request_stop();
    CHECK(database.sink->upkeep(stop.get_token()));
    CHECK(test::count(database.path) == "integer:5");
}

TEST_CASE("deleting old rows scans no table", "[sinks][sqlite]") {
    kept_database database;
    other_user user{database.path};
    const auto plan = user.rows(std::string{"EXPLAIN QUERY PLAN "} + sinks::delete_oldest_rows);
    REQUIRE(!plan.empty());
    CHECK(plan[0][3] == "text:SEARCH events USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)");
    for (const auto& step : plan)
        CHECK_FALSE(contains(step[3], "SCAN"));
}

TEST_CASE("an event whose row was deleted is stored again when it is sent again", "[sinks][sqlite]") {
    kept_database database;
    database.pass_time(2h);
    database.write(5);
    database.upkeep();
    CHECK(test::write_all(*database.sink, test::numbered_events{5}) == 0);
    CHECK(test::count(database.path) == "integer:5");
}

TEST_CASE("old rows that came late are deleted when those before them are", "[sinks][sqlite]") {
    kept_database database;
    database.write(1500);
    database.write_received_at(received - 24h, 5, 1501);
    database.pass_time(30min);
    database.upkeep();
    CHECK(test::count(database.path) == "integer:1505");
    database.pass_time(1h);
    database.upkeep();
    CHECK(test::count(database.path) == "integer:0");
}

TEST_CASE("pages of deleted rows are used again", "[sinks][sqlite]") {
    kept_database database;
    const auto pages = [&] { return other_user{database.path}.one("PRAGMA page_count"); };
    database.pass_time(2h);
    database.write_pages(2000, 1);
    const auto before = pages();
    database.upkeep();
    database.write_pages(2000, 2001);
    CHECK(pages() == before);
}

TEST_CASE("how many rows were deleted is said once a day, and at the end", "[sinks][sqlite]") {
    kept_database database;
    const test::captured_log log;
    database.upkeep();
    const auto delete_some = [&](std::size_t first) {
        database.write_received_at(database.now - 2h, 1100, first);
        database.upkeep();
    };
    const auto text = "info " + database.path.string() + ": deleted ";
    delete_some(1);
    CHECK(log.lines("deleted") == std::vector{text + "1100 rows that were older than keep"});
    database.pass_time(23h);
    delete_some(2000);
    CHECK(log.lines("deleted").size() == 1);
    database.pass_time(1h);
    delete_some(4000);
    CHECK(log.lines("deleted").size() == 2);
    CHECK(log.lines("deleted").back() == text + "2200 rows that were older than keep");
    delete_some(6000);
    database.sink->close();
    CHECK(log.lines("deleted").size() == 3);
    CHECK(log.lines("deleted").back() == text + "1100 rows that were older than keep");
}

TEST_CASE("how many rows were deleted is said while deleting goes on for days", "[sinks][sqlite]") {
    kept_database database;
    const test::captured_log log;
    database.pass_time(2h);
    database.write(9500);
    REQUIRE(database.sink->upkeep({}));
    CHECK(log.lines("deleted").empty());
    database.now += 24h;
    REQUIRE(database.sink->upkeep({}));
    REQUIRE(log.lines("deleted").size() == 1);
    CHECK(contains(log.lines("deleted")[0], ": deleted 6000 rows that were older than keep"));
    database.upkeep();
    CHECK(log.lines("deleted").size() == 1);
}

TEST_CASE("a row that may not be deleted fails the upkeep, and no write", "[sinks][sqlite]") {
    kept_database database;
    database.pass_time(2h);
    database.write(5);
    other_user{database.path}.run(
        "CREATE TRIGGER veto BEFORE DELETE ON events BEGIN SELECT RAISE(ABORT, 'never'); END"
    );
    CHECK(test::error_of([&] {
              database.upkeep();
          }) == "cannot delete old rows from " + database.path.string() + ": never");
    database.write(5, 6);
    CHECK(test::count(database.path) == "integer:10");
}

TEST_CASE("upkeep of a database that somebody has locked fails, and works again later", "[sinks][sqlite]") {
    kept_database database;
    database.pass_time(2h);
    database.write(5);
    other_user writer{database.path};
    writer.run("BEGIN IMMEDIATE");
    CHECK(contains(test::error_of([&] { database.upkeep(); }), "database is locked"));
    writer.run("COMMIT");
    database.upkeep();
    CHECK(test::count(database.path) == "integer:0");
}

TEST_CASE("a database that was moved away is left alone by upkeep", "[sinks][sqlite]") {
    kept_database database;
    database.write(5);
    database.now += 2h;
    const auto old = database.directory / "old.db";
    fs::rename(database.path, old);
    CHECK(database.upkeep() == 1);
    CHECK_FALSE(fs::exists(database.path));
    database.write(1, 6);
    CHECK(test::count(old) == "integer:5");
}

TEST_CASE("the write-ahead log stays small while nobody reads for long", "[sinks][sqlite]") {
    kept_database database{0ms, 8 * one_mebibyte};
    std::uint64_t largest = 0;
    for (std::size_t i = 0; i < 40; ++i) {
        database.write_pages(500, 1 + i * 500); // 2 MiB
        CHECK(test::count(database.path) == "integer:" + std::to_string((i + 1) * 500));
        largest = std::max(largest, database.log_size());
    }
    CHECK(largest <= 8 * one_mebibyte);
}

TEST_CASE(
    "a reader holds the write-ahead log back, which is said once, until it is gone", "[sinks][sqlite]"
) {
    kept_database database{0ms};
    const test::captured_log log;
    other_user reader{database.path};
    const auto hold_back = [&](std::size_t first) {
        reader.run("BEGIN");
        reader.one("SELECT count(*) FROM events");
        database.write_pages(1000, first);
        database.upkeep();
        CHECK(database.log_size() > one_mebibyte);
    };
    hold_back(1);
    const auto lines = log.lines();
    REQUIRE(lines.size() == 1);
    const auto size = std::to_string(database.log_size() / one_mebibyte);
    CHECK(
        lines[0] == "warning " + database.path.string() + "-wal: has grown to " + size +
                        " MiB, and grows on until the program ends its transaction that holds it back"
    );
    database.write_pages(1000, 1001);
    database.upkeep();
    CHECK(log.lines().size() == 1);

    reader.run("COMMIT");
    database.upkeep();
    CHECK(database.log_size() == 0);
    CHECK(contains(log.lines().back(), "-wal: cut from "));
    hold_back(2001);
    CHECK(log.lines("has grown").size() == 2);
}

TEST_CASE("after a long reader the write-ahead log shrinks by writing alone", "[sinks][sqlite]") {
    kept_database database{0ms};
    other_user reader{database.path};
    reader.run("BEGIN");
    reader.one("SELECT count(*) FROM events");
    database.write_pages(2000, 1);
    CHECK(database.log_size() > 4 * one_mebibyte);
    reader.run("COMMIT");
    database.write(1, 2001); // brings all into the database
    database.write(1, 2002); // begins the log anew
    CHECK(database.log_size() <= one_mebibyte);
}
