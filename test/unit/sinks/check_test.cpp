// What a sink finds out about itself before it makes anything.
#include "helpers.hpp"
#include "sinks/file.hpp"
#include "sinks/sqlite.hpp"

#include <sqlite3.h>

#include <sys/stat.h>
#include <utility>

using namespace trackd;
namespace fs = std::filesystem;
using test::contains;
using test::error_of;

namespace {

void check_file(const fs::path& path) {
    sinks::make_file_sink({.path = path})->check();
}

void check_sqlite(const fs::path& path) {
    sinks::make_sqlite_sink({.path = path})->check();
}

void run_sql(const fs::path& path, const char* sql) {
    sqlite3* database = nullptr;
    REQUIRE(::sqlite3_open(path.c_str(), &database) == SQLITE_OK);
    CHECK(::sqlite3_exec(database, sql, nullptr, nullptr, nullptr) == SQLITE_OK);
    ::sqlite3_close(database);
}

} // namespace

TEST_CASE("a check makes neither a file nor its directory", "[sinks][check]") {
    const test::temporary_directory directory;
    check_file(directory / "new" / "deep" / "events.jsonl");
    check_sqlite(directory / "new" / "deep" / "events.db");
    CHECK(fs::is_empty(directory.path()));
}

TEST_CASE("what a check finds good can be opened", "[sinks][check]") {
    const test::temporary_directory directory;
    const auto lines = sinks::make_file_sink({.path = directory / "new" / "deep" / "events.jsonl"});
    lines->check();
    lines->open();
    lines->check();
    const auto database = sinks::make_sqlite_sink({.path = directory / "other" / "deep" / "events.db"});
    database->check();
    database->open();
    database->check();
    CHECK(fs::exists(directory / "new" / "deep" / "events.jsonl"));
    CHECK(fs::status(directory / "other" / "deep").permissions() == fs::perms::owner_all);
    database->close();
    lines->close();
}

TEST_CASE("a check says what the opening would say", "[sinks][check]") {
    const test::temporary_directory directory;
    test::write_file(directory / "file", "no line of ours");
    fs::create_directory(directory / "directory");
    fs::create_symlink(directory / "missing", directory / "dangling");
    REQUIRE(::mkfifo((directory / "pipe").c_str(), 0600) == 0);
    for (const auto& path :
         {directory / "file", directory / "file" / "events", directory / "directory", directory / "pipe",
          directory / "new" / "", directory / "dangling" / "events", directory / std::string(256, 'x')}) {
        CAPTURE(path);
        CHECK(contains(error_of([&] { check_file(path); }), "cannot "));
        CHECK(contains(error_of([&] { sinks::make_file_sink({.path = path})->open(); }), "cannot "));
        CHECK(contains(error_of([&] { check_sqlite(path); }), "cannot "));
        CHECK(contains(error_of([&] { sinks::make_sqlite_sink({.path = path})->open(); }), "cannot "));
    }
    CHECK(test::read_file(directory / "file") == "no line of ours");
}

TEST_CASE("a file that ends within a line of ours is good, and stays as it is", "[sinks][check]") {
    const test::temporary_directory directory;
    test::write_file(directory / "events.jsonl", R"({"specversion":"1.0","id":")");
    check_file(directory / "events.jsonl");
    CHECK(test::read_file(directory / "events.jsonl") == R"({"specversion":"1.0","id":")");
}

TEST_CASE("a link that leads to no file yet is good", "[sinks][check]") {
    const test::temporary_directory directory;
    fs::create_symlink("new", directory / "link");
    check_file(directory / "link");
    CHECK_FALSE(fs::exists(directory / "new"));
}

TEST_CASE("somebody else's database is told by a check, which makes nothing beside it", "[sinks][check]") {
    const test::temporary_directory directory;
    const auto foreign = directory / "a?b#c%41.db"; // nothing in it is special
    run_sql(foreign, "PRAGMA journal_mode = WAL; CREATE TABLE mine (x)");
    CHECK(contains(error_of([&] { check_sqlite(foreign); }), "that trackd did not make"));
    CHECK(std::distance(fs::directory_iterator{directory.path()}, fs::directory_iterator{}) == 1);

    const auto newer = directory / "newer.db";
    run_sql(newer, "CREATE TABLE events (x); PRAGMA application_id = 1953655652; PRAGMA user_version = 99");
    CHECK(contains(error_of([&] { check_sqlite(newer); }), "of a newer trackd"));
}

TEST_CASE("a check reads what is only in the write-ahead log", "[sinks][check]") {
    const test::temporary_directory directory;
    const auto foreign = directory / "foreign.db";
    sqlite3* database = nullptr;
    REQUIRE(::sqlite3_open(foreign.c_str(), &database) == SQLITE_OK);
    CHECK(
        ::sqlite3_exec(
            database, "PRAGMA journal_mode = WAL; CREATE TABLE mine (x)", nullptr, nullptr, nullptr
        ) == SQLITE_OK
    );
    CHECK(contains(error_of([&] { check_sqlite(foreign); }), "that trackd did not make"));
    ::sqlite3_close(database);
}
