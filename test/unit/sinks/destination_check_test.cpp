// A destination that lacks what was delivered to it: when that is certain, and what is said.
#include "helpers.hpp"
#include "sinks/destination_check.hpp"
#include "sinks/sqlite.hpp"
#include "sinks/sqlite_connection.hpp"
#include "sqlite_user.hpp"

#include <chrono>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

using namespace trackd;
using namespace std::chrono_literals;

namespace fs = std::filesystem;

namespace {

std::vector<std::string> ids(const std::vector<sinks::destination_check::event_key>& keys) {
    std::vector<std::string> all;
    for (const auto& key : keys)
        all.push_back(key.id);
    return all;
}

// A database that gets events, and is then opened by another process.
struct database {
    void write(std::size_t first, std::size_t count) {
        const auto sink = open();
        const test::numbered_events events{count, first};
        test::write_all(*sink, events);
        sink->close();
    }

    [[nodiscard]] std::unique_ptr<trackd::sink> open(std::chrono::milliseconds keep = 0ms) const {
        auto sink = sinks::make_sqlite_sink({.path = path, .keep = keep, .now = [this] { return now; }});
        sink->open();
        return sink;
    }

    // As the cursor has it, with the last of the events.
    [[nodiscard]] std::string warning(
        std::size_t delivered, std::uint64_t not_delivered = 0, std::chrono::milliseconds keep = 0ms
    ) const {
        const auto sink = open(keep);
        const test::numbered_events events{delivered, 1};
        const std::span<const event_view> all = events;
        sink->set_earlier_deliveries(
            {.events = delivered - not_delivered,
             .not_delivered = not_delivered,
             .at = delivered + 1,
             .last = all}
        );
        return sink->warning();
    }

    void run(const std::string& sql) const { sinks::sqlite_connection{path, 1000ms}.run(sql); }

    test::temporary_directory directory;
    fs::path path = directory / "events.db";
    wall_time now = test::noon + 1h;
};

} // namespace

TEST_CASE("the last events are looked for where one of them was delivered for certain", "[sinks][contents]") {
    const test::numbered_events events{30, 1};
    const std::span<const event_view> all = events;
    sinks::destination_check check;
    CHECK(!check.expects_rows());
    check.expect({.events = 30, .at = 31, .last = all});
    CHECK(check.expects_rows());
    const auto keys = check.take_last();
    REQUIRE(keys.size() == 10);
    CHECK(keys.front().id == all.back().id);
    CHECK(check.take_last().empty());

    sinks::destination_check doubtful;
    doubtful.expect({.events = 1, .not_delivered = 30, .at = 32, .last = all});
    CHECK(ids(doubtful.take_last()).empty());

    sinks::destination_check late;
    late.expect({.events = 30, .at = 31, .last = all});
    CHECK(late.take_last(wall_time::max()).empty());
}

TEST_CASE("a sink that got nothing expects nothing", "[sinks][contents]") {
    sinks::destination_check check;
    check.expect({.events = 0, .not_delivered = 30, .at = 31, .last = {}});
    CHECK(!check.expects_rows());
    check.confirmed(1);
    CHECK(check.expects_rows());
    check.found_new("x.db");
    CHECK(check.warning().starts_with("x.db is new, trackd has just made it, but 1 events were delivered"));
    CHECK(check.warning().find("position 32:") != std::string::npos);
    CHECK(!check.expects_rows()); // once
}

TEST_CASE("a database of SQLite that has its rows is no warning", "[sinks][contents][sqlite]") {
    database events;
    events.write(1, 30);
    CHECK(events.warning(30).empty());
    events.run("DELETE FROM events WHERE rowid > 25"); // as of one person
    CHECK(events.warning(30).empty());
}

TEST_CASE("a database of SQLite that is new or empty is a warning", "[sinks][contents][sqlite]") {
    database events;
    CHECK(events.warning(30).find("events.db is new") != std::string::npos);
    CHECK(events.warning(30).find("events.db is empty") != std::string::npos);
    events.write(1, 30);
    events.run("DELETE FROM events");
    CHECK(events.warning(30).find("events.db is empty, but 30 events were delivered") != std::string::npos);
}

TEST_CASE("an older database of SQLite is a warning", "[sinks][contents][sqlite]") {
    database events;
    events.write(1, 20);
    CHECK(events.warning(30).find("has none of the last 10 delivered events") != std::string::npos);
    CHECK(events.warning(30, 29).empty()); // of these 30 only one was delivered, and may be there
}

TEST_CASE("what keep may have deleted is no warning", "[sinks][contents][sqlite]") {
    database events;
    events.write(1, 30);
    events.run("DELETE FROM events");
    events.now += std::chrono::hours{48};
    CHECK(events.warning(30, 0, std::chrono::hours{24}).empty());
    CHECK(!events.warning(30, 0, std::chrono::hours{24 * 30}).empty());
}
