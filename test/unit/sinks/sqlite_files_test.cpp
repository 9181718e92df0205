// Files of a database that are moved, removed or replaced while it is open, or that were left by a crash.
#include "helpers.hpp"
#include "sinks/sqlite.hpp"
#include "sqlite_user.hpp"
#include "support/captured_log.hpp"
#include "support/open_sqlite.hpp"

#include <memory>
#include <optional>
#include <sys/wait.h>
#include <unistd.h>

using namespace trackd;
using namespace std::chrono_literals;
using test::contains;
using test::count;
using test::open_sqlite;
using test::other_user;

namespace fs = std::filesystem;

namespace {

fs::path log_of(const fs::path& database) {
    return database.string() + "-wal";
}

// Another program with a transaction that keeps rows from being copied into the database.
struct reader {
    explicit reader(const fs::path& path) : user{path} {
        user.run("BEGIN");
        user.one("SELECT count(*) FROM events");
    }

    other_user user;
};

// What a power cut leaves: the files, byte by byte, and nothing that a process has open.
fs::path copy_of(const fs::path& database) {
    const fs::path copy = database.string() + ".copy";
    for (const auto* suffix : {"", "-wal"}) {
        fs::remove(copy.string() + suffix);
        if (fs::exists(database.string() + suffix))
            fs::copy_file(database.string() + suffix, copy.string() + suffix);
    }
    return copy;
}

std::string count_after_crash(const fs::path& database) {
    return count(copy_of(database));
}

std::size_t orphans_in(const fs::path& directory) {
    std::size_t found = 0;
    for (const auto& file : fs::directory_iterator{directory})
        if (contains(file.path().string(), "-wal.orphaned-")) ++found;
    return found;
}

// In a process of its own, which ends as by SIGKILL.
template <typename Work>
void crash_after(Work work) {
    const auto child = ::fork();
    if (child == 0) {
        work();
        ::_exit(0);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    REQUIRE(WIFEXITED(status));
}

} // namespace

TEST_CASE(
    "rows are safe whichever of the log's files is removed while the database is open", "[sinks][sqlite]"
) {
    const auto* const removed = GENERATE("-wal", "-shm", "both");
    const bool has_reader = GENERATE(false, true);
    INFO(removed << (has_reader ? ", with a reader" : ""));
    const test::temporary_directory directory;
    const auto path = directory / "events.db";
    const auto sink = open_sqlite(path);
    test::write_all(*sink, test::numbered_events{5});
    std::optional<reader> other;
    if (has_reader) other.emplace(path);
    test::write_all(*sink, test::numbered_events{5, 6});
    const test::captured_log log;
    for (const std::string suffix : {"-wal", "-shm"})
        if (removed == suffix || removed == std::string{"both"}) fs::remove(path.string() + suffix);
    test::write_all(*sink, test::numbered_events{50, 11});
    CHECK(count_after_crash(path) == "integer:60");
    CHECK(log.lines("error " + path.string() + ": its -wal or -shm was removed or replaced").size() == 1);
    test::write_all(*sink, test::numbered_events{1, 61});
    other.reset();
    sink->close();
    CHECK(count(path) == "integer:61");
    CHECK(other_user{path}.one("PRAGMA integrity_check") == "text:ok");
}

TEST_CASE("a log that was removed during idle times is noticed by upkeep", "[sinks][sqlite]") {
    const test::temporary_directory directory;
    const auto path = directory / "events.db";
    const auto sink = open_sqlite(path);
    test::write_all(*sink, test::numbered_events{5});
    fs::remove(log_of(path));
    CHECK_FALSE(sink->upkeep({}));
    CHECK(count_after_crash(path) == "integer:5");
}

TEST_CASE("what is written after a log was cut is safe, and what was lost is said", "[sinks][sqlite]") {
    const auto in_database = GENERATE(false, true); // are the rows of the log
    const test::temporary_directory directory;
    const auto path = directory / "events.db";
    const auto sink = open_sqlite(path);
    test::write_all(*sink, test::numbered_events{5});
    if (in_database) other_user{path}.run("PRAGMA wal_checkpoint");
    fs::resize_file(log_of(path), 0);
    const test::captured_log log;
    test::write_all(*sink, test::numbered_events{50, 6});
    CHECK(log.lines("rows that only the -wal had are lost").size() == (in_database ? 0 : 1));
    CHECK(count_after_crash(path) == (in_database ? "integer:55" : "integer:50"));
    sink->close();
    CHECK(other_user{path}.one("PRAGMA integrity_check") == "text:ok");
}

TEST_CASE("a log that another program has emptied by SQLite is no matter", "[sinks][sqlite]") {
    const test::temporary_directory directory;
    const auto path = directory / "events.db";
    const auto sink = open_sqlite(path);
    test::write_all(*sink, test::numbered_events{50});
    other_user{path}.run("PRAGMA wal_checkpoint(TRUNCATE)");
    const test::captured_log log;
    test::write_all(*sink, test::numbered_events{5, 51});
    CHECK(log.lines().empty());
    CHECK(count_after_crash(path) == "integer:55");
}

TEST_CASE(
    "a database whose directory is renamed has all its rows, and the next go there again", "[sinks][sqlite]"
) {
    const test::temporary_directory directory;
    fs::create_directory(directory / "one");
    const auto path = directory / "one/events.db";
    const auto sink = open_sqlite(path);
    test::write_all(*sink, test::numbered_events{5});
    fs::rename(directory / "one", directory / "other");
    CHECK_THROWS(test::write_all(*sink, test::numbered_events{5, 6}));
    CHECK(count_after_crash(directory / "other/events.db") == "integer:5");
    fs::rename(directory / "other", directory / "one");
    test::write_all(*sink, test::numbered_events{5, 6});
    CHECK(count_after_crash(path) == "integer:10");
}

TEST_CASE("a log that was replaced is not copied into the database", "[sinks][sqlite]") {
    const test::temporary_directory directory;
    const auto path = directory / "events.db";
    const auto other = directory / "other.db";
    const auto other_sink = open_sqlite(other);
    test::write_all(*other_sink, test::numbered_events{7, 1000});
    const auto sink = open_sqlite(path);
    test::write_all(*sink, test::numbered_events{5});
    fs::remove(log_of(path));
    fs::copy_file(log_of(other), log_of(path));
    test::write_all(*sink, test::numbered_events{5, 6});
    CHECK(orphans_in(directory.path()) == 1);
    CHECK(count_after_crash(path) == "integer:10");
    sink->close();
    CHECK(count(path) == "integer:10");
    CHECK(other_user{path}.one("PRAGMA integrity_check") == "text:ok");
}

TEST_CASE("each row is in one of two databases when one is moved while it is read", "[sinks][sqlite]") {
    const bool all_files = GENERATE(false, true);
    const test::temporary_directory directory;
    const auto path = directory / "events.db";
    const auto old = directory / "old.db";
    const auto sink = open_sqlite(path);
    test::write_all(*sink, test::numbered_events{5});
    const reader other{path};
    test::write_all(*sink, test::numbered_events{500, 6});
    fs::rename(path, old);
    if (all_files)
        for (const auto* suffix : {"-wal", "-shm"})
            fs::rename(path.string() + suffix, old.string() + suffix);
    test::write_all(*sink, test::numbered_events{20, 506});
    CHECK(count_after_crash(old) == "integer:505");
    CHECK(count_after_crash(path) == "integer:20");
    CHECK(count(old) == "integer:505");
    CHECK(orphans_in(directory.path()) == 0);
    sink->close();
    CHECK(count(path) == "integer:20");
}

TEST_CASE(
    "a moved database is whole though its log was removed and a reader is in the way", "[sinks][sqlite]"
) {
    const test::temporary_directory directory;
    const auto path = directory / "events.db";
    const auto old = directory / "old.db";
    const auto sink = open_sqlite(path);
    test::write_all(*sink, test::numbered_events{5});
    const reader other{path};
    test::write_all(*sink, test::numbered_events{50, 6});
    fs::rename(path, old);
    fs::remove(log_of(path));
    test::write_all(*sink, test::numbered_events{20, 56});
    CHECK(count_after_crash(old) == "integer:55");
    CHECK(count_after_crash(path) == "integer:20");
}

TEST_CASE("the log of a database that was removed is set aside", "[sinks][sqlite]") {
    const test::temporary_directory directory;
    const auto path = directory / "events.db";
    const auto sink = open_sqlite(path);
    test::write_all(*sink, test::numbered_events{5});
    fs::copy_file(path, directory / "elsewhere.db"); // such as by mv to another file system
    fs::remove(path);
    test::write_all(*sink, test::numbered_events{3, 6});
    CHECK(count(path) == "integer:3");
    REQUIRE(orphans_in(directory.path()) == 1);
    for (const auto& file : fs::directory_iterator{directory.path()})
        if (contains(file.path().string(), ".orphaned-"))
            fs::rename(file.path(), log_of(directory / "elsewhere.db"));
    CHECK(count(directory / "elsewhere.db") == "integer:5");
}

TEST_CASE("the database of another program at the path is left alone, with its log", "[sinks][sqlite]") {
    const test::temporary_directory directory;
    const auto path = directory / "events.db";
    const auto sink = open_sqlite(path);
    test::write_all(*sink, test::numbered_events{5});
    fs::create_directory(directory / "away");
    for (const auto* suffix : {"", "-wal", "-shm"})
        fs::rename(path.string() + suffix, (directory / "away/events.db").string() + suffix);
    const auto second = open_sqlite(path);
    test::write_all(*second, test::numbered_events{7, 100});
    test::write_all(*sink, test::numbered_events{1, 6});
    CHECK(count_after_crash(path) == "integer:8");
    CHECK(count_after_crash(directory / "away/events.db") == "integer:5");
}

TEST_CASE("after a crash a log without its database goes to where that was moved", "[sinks][sqlite]") {
    const bool is_replaced = GENERATE(false, true);
    const test::temporary_directory directory;
    const auto path = directory / "events.db";
    const auto old = directory / "old.db";
    crash_after([&] { // whose connection is never closed
        const auto sink = open_sqlite(path).release();
        test::write_all(*sink, test::numbered_events{30});
    });
    if (is_replaced) { // by another one of trackd's
        open_sqlite(directory / "backup.db")->close();
    }
    fs::rename(path, old);
    if (is_replaced) fs::rename(directory / "backup.db", path);
    const test::captured_log log;
    const auto sink = open_sqlite(path);
    test::write_all(*sink, test::numbered_events{3, 31});
    if (log.lines("orphaned").empty()) // there, the file system keeps the mark
        CHECK(count(old) == "integer:30");
    else
        CHECK(orphans_in(directory.path()) == 1);
    CHECK(count(path) == "integer:3");
    CHECK(log.lines("events.db-wal").size() == 1);
}

TEST_CASE("after a crash a log whose database is nowhere is set aside", "[sinks][sqlite]") {
    const bool emptied = GENERATE(false, true);
    const test::temporary_directory directory;
    const auto path = directory / "events.db";
    crash_after([&] {
        const auto sink = open_sqlite(path).release();
        test::write_all(*sink, test::numbered_events{30});
    });
    fs::copy_file(path, directory / "elsewhere.db");
    if (emptied)
        fs::resize_file(path, 0);
    else
        fs::remove(path);
    const test::captured_log log;
    const auto sink = open_sqlite(path);
    CHECK(orphans_in(directory.path()) == 1);
    CHECK(log.lines("may have rows that are nowhere else").size() == 1);
    CHECK(count(path) == "integer:0");
}

TEST_CASE("a backup that gets the inode of the removed database does not get its log", "[sinks][sqlite]") {
    const test::temporary_directory directory;
    const auto path = directory / "events.db";
    const auto backup = directory / "backup.db";
    open_sqlite(backup)->close();
    crash_after([&] {
        const auto sink = open_sqlite(path).release();
        test::write_all(*sink, test::numbered_events{30});
    });
    fs::remove(path);
    fs::copy_file(backup, path); // ext4 gives the freed inode to the next file
    const test::captured_log log;
    const auto sink = open_sqlite(path);
    CHECK(count(path) == "integer:0");
    CHECK(orphans_in(directory.path()) == 1);
}

TEST_CASE("files that a backup has copied belong together", "[sinks][sqlite]") {
    const test::temporary_directory directory;
    const auto path = directory / "events.db";
    crash_after([&] {
        const auto sink = open_sqlite(path).release();
        test::write_all(*sink, test::numbered_events{30});
    });
    const auto copy = copy_of(path);
    const auto sink = open_sqlite(copy);
    CHECK(count(copy) == "integer:30");
    CHECK(orphans_in(directory.path()) == 0);
}
