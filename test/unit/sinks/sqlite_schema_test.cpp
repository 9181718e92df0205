// Databases of older versions, and what becomes of them.
#include "helpers.hpp"
#include "sinks/sqlite.hpp"
#include "sqlite_user.hpp"
#include "support/captured_log.hpp"
#include "support/open_sqlite.hpp"

#include <sys/wait.h>
#include <unistd.h>

using namespace trackd;
using namespace std::chrono_literals;
using test::contains;
using test::open_sqlite;
using test::other_user;

namespace fs = std::filesystem;

namespace {

using strings = std::vector<std::string>;

// What a trackd of schema version 1 has left.
void make_version_1(const fs::path& path, std::size_t rows) {
    other_user user{path};
    user.run(R"(
        PRAGMA journal_mode = WAL;
        CREATE TABLE events (
            id              TEXT NOT NULL,
            source          TEXT NOT NULL,
            type            TEXT NOT NULL,
            time            TEXT NOT NULL,
            received_at     TEXT NOT NULL,
            subject         TEXT,
            datacontenttype TEXT,
            data,
            extensions      TEXT,
            PRIMARY KEY (source, id)
        );
        PRAGMA application_id = 1953655652;
        PRAGMA user_version = 1;
    )");
    user.run(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT " + std::to_string(rows) +
        ") INSERT INTO events SELECT i, 'shop', 'order', '2026-11-21T12:00:00.000250Z', "
        "'2026-11-21T13:00:00.000250Z', NULL, NULL, '{}', NULL FROM n"
    );
}

// But for those that SQLite makes for keys.
strings indexes_of(const fs::path& path) {
    strings names;
    for (const auto& row :
         other_user{path}.rows("SELECT name FROM sqlite_schema WHERE sql LIKE 'CREATE INDEX%'"))
        names.push_back(row[0]);
    return names;
}

std::string version_of(const fs::path& path) {
    return other_user{path}.one("PRAGMA user_version");
}

const strings ours{"text:trackd_events_by_time"};

// In a process of its own, which its first write beyond so many bytes of a file ends at once.
void crash_beyond(std::size_t bytes, const fs::path& path) {
    const auto child = ::fork();
    if (child == 0) {
        std::signal(SIGXFSZ, SIG_DFL);
        const rlimit limit{bytes, bytes};
        ::setrlimit(RLIMIT_FSIZE, &limit);
        open_sqlite(path);
        ::_exit(0);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    REQUIRE(WIFSIGNALED(status));
    REQUIRE(WTERMSIG(status) == SIGXFSZ);
}

} // namespace

TEST_CASE("a new database has the index on time", "[sinks][sqlite]") {
    const test::temporary_directory directory;
    const auto path = directory / "events.db";
    open_sqlite(path);
    CHECK(indexes_of(path) == ours);
    const auto plan =
        other_user{path}.rows("EXPLAIN QUERY PLAN SELECT * FROM events WHERE time >= '2026-11-21'");
    REQUIRE(plan.size() == 1);
    CHECK(plan[0][3] == "text:SEARCH events USING INDEX trackd_events_by_time (time>?)");
}

TEST_CASE("a database of version 1 gets the index, keeps its rows, and the log says so", "[sinks][sqlite]") {
    const test::temporary_directory directory;
    const auto path = directory / "events.db";
    make_version_1(path, 100);
    const test::captured_log log;
    const auto sink = open_sqlite(path);
    CHECK(version_of(path) == "integer:2");
    CHECK(indexes_of(path) == ours);
    const auto lines = log.lines();
    REQUIRE(lines.size() == 2);
    CHECK(
        lines[0] ==
        "info " + path.string() + ": bringing its schema from version 1 to 2, with at most 100 rows"
    );
    CHECK(contains(lines[1], path.string() + ": done in "));
    CHECK(test::write_all(*sink, test::numbered_events{110}) == 100);
    CHECK(test::count(path) == "integer:110");
    CHECK(other_user{path}.one("PRAGMA integrity_check") == "text:ok");
}

TEST_CASE("a database of version 1 without a row becomes one of version 2", "[sinks][sqlite]") {
    const test::temporary_directory directory;
    make_version_1(directory / "events.db", 1);
    other_user{directory / "events.db"}.run("DELETE FROM events");
    const auto sink = open_sqlite(directory / "events.db");
    CHECK(version_of(directory / "events.db") == "integer:2");
    CHECK(test::write_all(*sink, test::numbered_events{1}) == 0);
}

TEST_CASE("a database that has its version already is opened without a word", "[sinks][sqlite]") {
    const test::temporary_directory directory;
    open_sqlite(directory / "events.db")->close();
    const test::captured_log log;
    open_sqlite(directory / "events.db");
    CHECK(log.lines().empty());
}

TEST_CASE("without indexes there is none, in a new database and in one of version 1", "[sinks][sqlite]") {
    const test::temporary_directory directory;
    make_version_1(directory / "old.db", 10);
    for (const auto* name : {"new.db", "old.db"}) {
        open_sqlite(directory / name, false);
        CHECK(version_of(directory / name) == "integer:2");
        CHECK(indexes_of(directory / name).empty());
    }
}

TEST_CASE("our index goes and comes as it is wanted, and those of others stay", "[sinks][sqlite]") {
    const test::temporary_directory directory;
    const auto path = directory / "events.db";
    open_sqlite(path)->close();
    other_user{path}.run("CREATE INDEX events_by_time ON events (time)");
    open_sqlite(path, false)->close();
    CHECK(indexes_of(path) == strings{"text:events_by_time"});
    open_sqlite(path, true)->close();
    CHECK(indexes_of(path) == strings{"text:events_by_time", "text:trackd_events_by_time"});
}

TEST_CASE(
    "a crash in the middle of a migration leaves version 1, which is migrated then", "[sinks][sqlite]"
) {
    const test::temporary_directory directory;
    const auto path = directory / "events.db";
    make_version_1(path, 20'000);
    crash_beyond(256 * 1024, path);
    CHECK(version_of(path) == "integer:1");
    CHECK(indexes_of(path).empty());
    CHECK(test::count(path) == "integer:20000");
    open_sqlite(path);
    CHECK(version_of(path) == "integer:2");
    CHECK(indexes_of(path) == ours);
    CHECK(other_user{path}.one("PRAGMA integrity_check") == "text:ok");
}

TEST_CASE("a disk that is full during a migration leaves version 1", "[sinks][sqlite]") {
    const test::temporary_directory directory;
    const auto path = directory / "events.db";
    make_version_1(path, 20'000);
    {
        const test::file_size_limit full{256 * 1024};
        CHECK(contains(test::error_of([&] { open_sqlite(path); }), path.string() + ": disk I/O error ("));
    }
    CHECK(version_of(path) == "integer:1");
    open_sqlite(path);
    CHECK(version_of(path) == "integer:2");
}

TEST_CASE(
    "a database of version 1 that is locked is migrated by the first write that can", "[sinks][sqlite]"
) {
    const test::temporary_directory directory;
    const auto path = directory / "events.db";
    make_version_1(path, 10);
    other_user writer{path};
    writer.run("BEGIN IMMEDIATE");
    const test::captured_log log;
    const auto sink = open_sqlite(path);
    REQUIRE(log.lines().size() == 1);
    CHECK(contains(log.lines()[0], "database is locked; the first write tries again"));
    CHECK_THROWS(test::write_all(*sink, test::numbered_events{1}));
    CHECK(version_of(path) == "integer:1");
    writer.run("COMMIT");
    CHECK(test::write_all(*sink, test::numbered_events{11}) == 10);
    CHECK(version_of(path) == "integer:2");
}
