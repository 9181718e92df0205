// Old rows, and a clock that is wrong.
#include "helpers.hpp"
#include "sinks/sqlite.hpp"
#include "sinks/sqlite_retention.hpp"
#include "sqlite_user.hpp"
#include "support/captured_log.hpp"

using namespace trackd;
using namespace std::chrono_literals;
using std::chrono::days;

namespace fs = std::filesystem;

namespace {

constexpr auto received = test::noon + 1h;

// A database whose clock the test sets.
struct kept_database {
    explicit kept_database(std::chrono::milliseconds keep = days{30})
        : sink{sinks::make_sqlite_sink({.path = path, .keep = keep, .busy_timeout = 10ms, .now = [this] {
                                            return now;
                                        }})} {
        sink->open();
    }

    // Events that come at the clock's time.
    void write(std::size_t count) {
        const test::numbered_events numbered{count, next};
        next += count;
        const std::span<const event_view> all = numbered;
        std::vector events(all.begin(), all.end());
        for (auto& event : events)
            event.received_at = now;
        test::write_all(*sink, events);
    }

    void upkeep() {
        while (sink->upkeep({})) {
        }
    }

    // Minute by minute.
    void pass(int minutes) {
        for (int i = 0; i < minutes; ++i) {
            now += 1min;
            upkeep();
        }
    }

    [[nodiscard]] std::string count() const { return test::count(path); }

    test::temporary_directory directory;
    fs::path path = directory / "events.db";
    wall_time now = received;
    std::size_t next = 1;
    std::unique_ptr<trackd::sink> sink;
};

} // namespace

TEST_CASE("a clock that is far ahead for a while deletes nothing", "[sinks][sqlite]") {
    const auto events_come = GENERATE(false, true);
    kept_database database;
    const test::captured_log log;
    database.write(5000);
    database.pass(3);
    database.now += days{400};
    if (events_come) database.write(1500);
    database.pass(59);
    CHECK(log.lines("is far ahead of the newest row").size() == 1);
    database.now -= days{400};
    database.pass(200);
    CHECK(database.count() == (events_come ? "integer:6500" : "integer:5000"));
}

TEST_CASE("a start while the clock is far ahead deletes nothing", "[sinks][sqlite]") {
    kept_database database;
    database.write(5000);
    database.now += days{400};
    database.pass(59);
    CHECK(database.count() == "integer:5000");
}

TEST_CASE("a clock that stays ahead is followed, by a twentieth of keep each minute", "[sinks][sqlite]") {
    kept_database database;
    for (int day = 0; day < 20; ++day) {
        database.write(10);
        database.now += days{1};
    }
    database.now += days{9}; // the first day is nearly over
    database.upkeep();
    CHECK(database.count() == "integer:200");
    database.now += days{400};
    database.pass(61);
    CHECK(database.count() == "integer:200");
    int before = 200;
    for (int minute = 0; minute < 30; ++minute) {
        database.pass(1);
        const int left = std::stoi(database.count().substr(8));
        CHECK(before - left <= 20);
        before = left;
    }
    CHECK(before == 0);
}

TEST_CASE("after a long stop rows are deleted within some minutes more than an hour", "[sinks][sqlite]") {
    kept_database database;
    database.write(10);
    database.now += days{100};
    database.pass(61 + 25);
    CHECK(database.count() == "integer:0");
}

TEST_CASE("rows that were stored while the clock was ahead hold up no others", "[sinks][sqlite]") {
    kept_database database{1h};
    database.now += days{400};
    database.write(50'000); // more than one search looks at
    database.now -= days{400};
    database.write(2500);
    database.pass(60);
    CHECK(database.count() == "integer:52500");
    database.pass(1);
    CHECK(database.count() == "integer:50000");
}

TEST_CASE("a clock that was behind for a while changes nothing", "[sinks][sqlite]") {
    kept_database database;
    database.write(10);
    database.pass(5);
    database.now -= days{400};
    database.pass(30);
    database.now += days{400};
    database.pass(5);
    CHECK(database.count() == "integer:10");
}

TEST_CASE("the retention clock is never ahead of the machine's", "[sinks][sqlite]") {
    sinks::retention_clock clock{days{30}};
    auto now = received;
    for (int i = 0; i < 2000; ++i) {
        now += i % 7 == 0 ? days{3} : i % 11 == 0 ? -days{5} : wall_time::duration{1min};
        CHECK(clock.look(now, received) <= now);
    }
}
