#include "helpers.hpp"
#include "sinks/sqlite.hpp"
#include "sqlite_user.hpp"
#include "support/open_sqlite.hpp"

#include <memory>
#include <unistd.h>

using namespace trackd;
using namespace std::chrono_literals;
using test::contains;
using test::count;
using test::error_of;
using test::open_sqlite;
using test::other_user;

namespace fs = std::filesystem;

namespace {

std::string text_or_null(std::string_view text) {
    return text.empty() ? "NULL" : "text:" + std::string{text};
}

std::string data_of(const event_view& event) {
    if (event.kind == data_kind::none) return "NULL";
    const bool is_bytes = event.id == "binary" || event.id == "text with NUL"; // of the tricky ones
    return (is_bytes ? "blob:" : "text:") + std::string{event.data};
}

} // namespace

TEST_CASE("each event becomes one row, every column as documented", "[sinks][sqlite]") {
    const test::temporary_directory directory;
    const auto path = directory / "events.db";
    const auto sink = open_sqlite(path);
    const auto events = test::tricky_events();
    const auto result = sink->write(events, {});
    CHECK(result.confirmed == events.size());
    CHECK(result.duplicates == 0);

    const auto rows = other_user{path}.rows(
        "SELECT id, source, type, time, received_at, subject, datacontenttype, data, extensions FROM events "
        "ORDER BY rowid"
    );
    REQUIRE(rows.size() == events.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const auto& event = events[i];
        const std::vector<std::string> expected{
            "text:" + std::string{event.id},       "text:" + std::string{event.source},
            "text:" + std::string{event.type},     "text:" + std::string{test::noon_text},
            "text:" + std::string{test::one_text}, text_or_null(event.subject),
            text_or_null(event.datacontenttype),   data_of(event),
            text_or_null(event.extensions),
        };
        INFO("the event with the id " << event.id);
        CHECK((rows[i] == expected)); // in one, for the large one is not to be printed
    }
}

TEST_CASE("any number of events is stored, in whole statements or not", "[sinks][sqlite]") {
    const auto number = GENERATE(1U, 19U, 20U, 21U, 39U, 40U, 41U, 2000U, 2007U);
    const test::temporary_directory directory;
    const auto sink = open_sqlite(directory / "events.db");
    CHECK(sink->write(test::numbered_events{number}, {}).confirmed == number);
    CHECK(count(directory / "events.db") == "integer:" + std::to_string(number));
}

TEST_CASE("repeated events are stored once, and counted", "[sinks][sqlite]") {
    const test::temporary_directory directory;
    const auto path = directory / "events.db";
    const auto sink = open_sqlite(path);
    CHECK(test::write_all(*sink, test::numbered_events{50}) == 0);
    CHECK(test::write_all(*sink, test::numbered_events{50}) == 50);
    CHECK(test::write_all(*sink, test::numbered_events{60, 31}) == 20);
    CHECK(count(path) == "integer:90");

    std::vector events(45, test::make_event("again", R"("first")"));
    for (auto& event : std::span{events}.subspan(1))
        event.data = R"("later")";
    CHECK(test::write_all(*sink, events) == 44); // within one write
    CHECK(other_user{path}.one("SELECT data FROM events WHERE id = 'again'") == R"(text:"first")");
}

TEST_CASE("the same id from another source is another event", "[sinks][sqlite]") {
    const test::temporary_directory directory;
    const auto sink = open_sqlite(directory / "events.db");
    std::vector events(2, test::make_event("1"));
    events[1].source = "warehouse";
    CHECK(test::write_all(*sink, events) == 0);
    CHECK(count(directory / "events.db") == "integer:2");
}

TEST_CASE("ids that differ only behind a NUL are different", "[sinks][sqlite]") {
    using namespace std::string_view_literals;
    const test::temporary_directory directory;
    const auto sink = open_sqlite(directory / "events.db");
    const std::vector events{test::make_event("a\0b"sv), test::make_event("a\0c"sv), test::make_event("a")};
    CHECK(test::write_all(*sink, events) == 0);
    CHECK(test::write_all(*sink, events) == 3);
}

TEST_CASE("JSON data can be asked for its members", "[sinks][sqlite]") {
    const test::temporary_directory directory;
    const auto sink = open_sqlite(directory / "events.db");
    const std::vector events{test::make_event("1", R"({"customer":{"name":"Zoë"}})")};
    test::write_all(*sink, events);
    CHECK(
        other_user{directory / "events.db"}.one("SELECT data ->> '$.customer.name' FROM events") == "text:Zoë"
    );
}

TEST_CASE("a new database says whose it is, and survives a power cut", "[sinks][sqlite]") {
    const test::temporary_directory directory;
    const auto path = directory / "events.db";
    const auto sink = open_sqlite(path);
    other_user user{path};
    CHECK(user.one("PRAGMA application_id") == "integer:1953655652"); // "trkd"
    CHECK(user.one("PRAGMA user_version") == "integer:2");
    CHECK(user.one("PRAGMA journal_mode") == "text:wal");
    CHECK(user.one("PRAGMA integrity_check") == "text:ok");
}

TEST_CASE("a database and its log are private to their owner", "[sinks][sqlite]") {
    const test::temporary_directory directory;
    const auto sink = open_sqlite(directory / "events.db");
    test::write_all(*sink, test::numbered_events{1});
    for (const auto& file : fs::directory_iterator{directory.path()}) {
        INFO(file.path().string());
        CHECK(file.status().permissions() == (fs::perms::owner_read | fs::perms::owner_write));
    }
}

TEST_CASE("a database that was there is continued", "[sinks][sqlite]") {
    const test::temporary_directory directory;
    const auto path = directory / "events.db";
    const auto first = open_sqlite(path);
    test::write_all(*first, test::numbered_events{25});
    first->close();
    const auto second = open_sqlite(path);
    CHECK(test::write_all(*second, test::numbered_events{30}) == 25);
    CHECK(count(path) == "integer:30");
}

TEST_CASE("closing leaves one file that has everything", "[sinks][sqlite]") {
    const test::temporary_directory directory;
    const auto path = directory / "events.db";
    const auto sink = open_sqlite(path);
    test::write_all(*sink, test::numbered_events{25});
    sink->close();
    CHECK(!fs::exists(directory / "events.db-wal"));
    CHECK(count(path) == "integer:25");
}

TEST_CASE("an empty file becomes a database", "[sinks][sqlite]") {
    const test::temporary_directory directory;
    test::write_file(directory / "events.db", "");
    test::write_all(*open_sqlite(directory / "events.db"), test::numbered_events{1});
    CHECK(count(directory / "events.db") == "integer:1");
}

TEST_CASE("no name is special to the SQLite sink", "[sinks][sqlite]") {
    const test::temporary_directory directory;
    const auto before = fs::current_path();
    fs::current_path(directory.path());
    for (const auto* name : {":memory:", "file:events.db?mode=memory", "a b'c\"d"}) {
        const auto sink = open_sqlite(name);
        test::write_all(*sink, test::numbered_events{1});
        CHECK(fs::file_size(name) > 0);
    }
    fs::current_path(before);
}

TEST_CASE("a database of a newer schema is refused and left as it is", "[sinks][sqlite]") {
    const test::temporary_directory directory;
    const auto path = directory / "events.db";
    open_sqlite(path)->close();
    other_user{path}.run("PRAGMA user_version = 3");
    const auto before = test::read_file(path);
    CHECK(
        error_of([&] { open_sqlite(path); }) ==
        "cannot use " + path.string() +
            ": its schema version is 3, of a newer trackd; this one knows versions up to 2"
    );
    CHECK(test::read_file(path) == before);
}

TEST_CASE("somebody else's database is refused and left as it is", "[sinks][sqlite]") {
    const test::temporary_directory directory;
    const auto path = directory / "events.db";
    for (const auto* sql : {"CREATE TABLE events (id)", "PRAGMA application_id = 7", "CREATE TABLE t (a)"}) {
        fs::remove(path);
        other_user{path}.run(sql);
        const auto before = test::read_file(path);
        CHECK(contains(
            error_of([&] { open_sqlite(path); }), path.string() + ": it is an SQLite database that trackd did"
        ));
        CHECK(test::read_file(path) == before);
    }
}

TEST_CASE("a file that is no database is refused and left as it is", "[sinks][sqlite]") {
    const test::temporary_directory directory;
    const auto path = directory / "events.db";
    for (const auto& text : {std::string{"hello"}, std::string(10'000, 'x')}) {
        test::write_file(path, text);
        CHECK(error_of([&] {
                  open_sqlite(path);
              }) == "cannot use " + path.string() + ": file is not a database");
        CHECK(test::read_file(path) == text);
    }
}

TEST_CASE("a database that can never be opened is refused with its path and the reason", "[sinks][sqlite]") {
    const test::temporary_directory directory;
    test::write_file(directory / "file", "");
    fs::create_directory(directory / "directory");

    const auto below_a_file = directory / "file" / "events.db";
    CHECK(error_of([&] {
              open_sqlite(below_a_file);
          }) == "cannot make " + below_a_file.string() + ": Not a directory");
    const auto not_a_file = directory / "directory";
    CHECK(
        error_of([&] { open_sqlite(not_a_file); }) ==
        "cannot use " + not_a_file.string() + ": it is a directory; expected the path of an SQLite database"
    );
}

TEST_CASE("a database that may not be written to is refused", "[sinks][sqlite]") {
    if (::geteuid() == 0) {
        WARN("skipped: root may write everywhere");
        return;
    }
    const test::temporary_directory directory;
    const auto path = directory / "events.db";
    open_sqlite(path)->close();
    fs::permissions(path, fs::perms::owner_read);
    CHECK(error_of([&] { open_sqlite(path); }) == "cannot use " + path.string() + ": it is not writable");
}

TEST_CASE("a reader does not hold up the writer", "[sinks][sqlite]") {
    const test::temporary_directory directory;
    const auto path = directory / "events.db";
    const auto sink = open_sqlite(path);
    test::write_all(*sink, test::numbered_events{1});
    other_user reader{path};
    reader.run("BEGIN");
    CHECK(reader.one("SELECT count(*) FROM events") == "integer:1");
    test::write_all(*sink, test::numbered_events{5000, 2});
    CHECK(reader.one("SELECT count(*) FROM events") == "integer:1"); // its own moment
    sink->close();
    reader.run("COMMIT");
    CHECK(reader.one("SELECT count(*) FROM events") == "integer:5001");
}

TEST_CASE("another writer's lock fails the write, until it is gone", "[sinks][sqlite]") {
    const test::temporary_directory directory;
    const auto path = directory / "events.db";
    const auto sink = open_sqlite(path);
    other_user writer{path};
    writer.run("BEGIN IMMEDIATE");
    for (int i = 0; i < 2; ++i) {
        CHECK(error_of([&] {
                  test::write_all(*sink, test::numbered_events{3});
              }) == "cannot use " + path.string() + ": database is locked");
    }
    writer.run("COMMIT");
    CHECK(test::write_all(*sink, test::numbered_events{3}) == 0);
    CHECK(count(path) == "integer:3");
}

TEST_CASE("a database that is locked at the start is opened by the first write", "[sinks][sqlite]") {
    const test::temporary_directory directory;
    const auto path = directory / "events.db";
    open_sqlite(path)->close();
    auto writer = std::make_unique<other_user>(path);
    writer->run("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; INSERT INTO events VALUES "
                "(1,1,1,1,1,1,1,1,1); COMMIT");
    const auto sink = open_sqlite(path);
    CHECK(contains(error_of([&] { test::write_all(*sink, test::numbered_events{3}); }), "database is locked")
    );
    writer.reset();
    CHECK(test::write_all(*sink, test::numbered_events{3}) == 0);
    CHECK(count(path) == "integer:4");
}

TEST_CASE("a write that a full disk cuts short stores nothing, and works again later", "[sinks][sqlite]") {
    const test::temporary_directory directory;
    const auto path = directory / "events.db";
    const auto sink = open_sqlite(path);
    test::write_all(*sink, test::numbered_events{10});
    {
        const test::file_size_limit full{96 * 1024};
        const auto error = error_of([&] { test::write_all(*sink, test::numbered_events{5000, 11}); });
        // In the parentheses newer versions of SQLite have the system's reason, older ones only a number.
        CHECK(contains(error, path.string() + ": disk I/O error ("));
        CHECK_THROWS(test::write_all(*sink, test::numbered_events{5000, 11}));
    }
    CHECK(count(path) == "integer:10");
    CHECK(test::write_all(*sink, test::numbered_events{5000, 11}) == 0);
    CHECK(count(path) == "integer:5010");
}

TEST_CASE("a row that the database refuses takes the whole write back", "[sinks][sqlite]") {
    const test::temporary_directory directory;
    const auto path = directory / "events.db";
    const auto sink = open_sqlite(path);
    other_user{path}.run("CREATE TRIGGER veto BEFORE INSERT ON events WHEN new.id = '30' BEGIN SELECT "
                         "RAISE(ABORT, 'not this one'); END");
    CHECK(error_of([&] {
              test::write_all(*sink, test::numbered_events{40});
          }) == "cannot write to " + path.string() + ": not this one");
    CHECK(count(path) == "integer:0");
    other_user{path}.run("DROP TRIGGER veto");
    test::write_all(*sink, test::numbered_events{40});
    CHECK(count(path) == "integer:40");
}

TEST_CASE("a database that was removed is made anew", "[sinks][sqlite]") {
    const test::temporary_directory directory;
    const auto path = directory / "events.db";
    const auto sink = open_sqlite(path);
    test::write_all(*sink, test::numbered_events{3});
    for (const auto* suffix : {"", "-wal", "-shm"})
        fs::remove(path.string() + suffix);
    CHECK(test::write_all(*sink, test::numbered_events{3, 4}) == 0);
    CHECK(count(path) == "integer:3");
}

TEST_CASE("a database that was removed without its log is made anew", "[sinks][sqlite]") {
    const test::temporary_directory directory;
    const auto path = directory / "events.db";
    const auto sink = open_sqlite(path);
    test::write_all(*sink, test::numbered_events{3});
    fs::remove(path);
    CHECK(test::write_all(*sink, test::numbered_events{3}) == 0);
    sink->close();
    CHECK(count(path) == "integer:3");
    CHECK(other_user{path}.one("PRAGMA integrity_check") == "text:ok");
}

TEST_CASE("a database that was moved away has all its rows", "[sinks][sqlite]") {
    const test::temporary_directory directory;
    const auto path = directory / "events.db";
    const auto sink = open_sqlite(path);
    test::write_all(*sink, test::numbered_events{30});
    fs::rename(path, directory / "old.db");
    test::write_all(*sink, test::numbered_events{3, 31});
    CHECK(count(directory / "old.db") == "integer:30");
    CHECK(count(path) == "integer:3");
    sink->close();
    CHECK(count(path) == "integer:3");
}

TEST_CASE("a table that was dropped fails the write, and says so", "[sinks][sqlite]") {
    const test::temporary_directory directory;
    const auto path = directory / "events.db";
    const auto sink = open_sqlite(path);
    other_user{path}.run("DROP TABLE events");
    for (int i = 0; i < 2; ++i) {
        CHECK(contains(
            error_of([&] { test::write_all(*sink, test::numbered_events{1}); }), "no such table: events"
        ));
    }
}

TEST_CASE("the SQLite sink that was stopped confirms nothing", "[sinks][sqlite]") {
    const test::temporary_directory directory;
    const auto sink = open_sqlite(directory / "events.db");
    std::stop_source stop;
    stop.request_stop();
    CHECK(sink->write(test::numbered_events{2}, stop.get_token()).confirmed == 0);
    CHECK(count(directory / "events.db") == "integer:0");
}
