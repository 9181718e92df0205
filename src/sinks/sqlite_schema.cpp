#include "sinks/sqlite_schema.hpp"

#include "base/log.hpp"
#include "sinks/sqlite_fit.hpp"

#include <chrono>
#include <functional>
#include <string>

namespace trackd::sinks {

namespace {

constexpr int application_id = 0x74726B64; // "trkd": whose database a file is

// In user_version. 1: the table. 2: our index beside it, unless it is not wanted.
constexpr int schema_version = 2;

// A table with a rowid, and the key's index beside it: as fast as WITHOUT ROWID where ids rise, like our own,
// and more than twice as fast where clients bring random ones, which then scatter over small index entries
// instead of whole rows (figures: docs/sinks.md). `data` has no type, and so no affinity: it keeps text as
// text and bytes as bytes.
constexpr auto table = R"(
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
))";

// A name that no operator has chosen for one of his own.
constexpr auto make_index = "CREATE INDEX IF NOT EXISTS trackd_events_by_time ON events (time)";
constexpr auto drop_index = "DROP INDEX IF EXISTS trackd_events_by_time";

// What a newer trackd has made is not touched.
void check_owner(const sqlite_connection& database) {
    if (database.number("PRAGMA application_id") != application_id) {
        database.refuse(
            "it is an SQLite database that trackd did not make; expected one of its own, or no file"
        );
    }
    const auto version = database.number("PRAGMA user_version");
    if (version > schema_version) {
        database.refuse(
            "its schema version is " + std::to_string(version) +
            ", of a newer trackd; this one knows versions up to " + std::to_string(schema_version)
        );
    }
}

bool is_empty(const sqlite_connection& database) {
    return database.number("SELECT count(*) FROM sqlite_schema") == 0;
}

bool has_index(const sqlite_connection& database) {
    return database.number("SELECT count(*) FROM sqlite_schema WHERE name = 'trackd_events_by_time'") > 0;
}

bool has_rowids(const sqlite_connection& database) {
    return database.number("SELECT wr FROM pragma_table_list('events') WHERE schema = 'main'") == 0;
}

// If it throws, the connection must be closed, which rolls back.
void in_transaction(const sqlite_connection& database, const std::function<void()>& change) {
    database.run("BEGIN IMMEDIATE");
    change();
    database.run("COMMIT");
}

void set_version(const sqlite_connection& database, int version) {
    database.run("PRAGMA user_version = " + std::to_string(version));
}

void set_up(const sqlite_connection& database, bool indexes) {
    in_transaction(database, [&] {
        if (!is_empty(database)) return; // somebody was faster
        database.run(table);
        if (indexes) database.run(make_index);
        database.run("PRAGMA application_id = " + std::to_string(application_id));
        set_version(database, schema_version);
    });
}

// A large table takes a while, and who waits for the start wants to know why.
void change_aloud(
    const sqlite_connection& database, const std::string& what, const std::function<void()>& change
) {
    const auto began = std::chrono::steady_clock::now();
    in_transaction(database, [&] {
        const auto rows =
            database.number( // the smallest and the largest are found at once, other than their number
                has_rowids(database)
                    ? "SELECT (SELECT max(rowid) FROM events) - (SELECT min(rowid) FROM events) + 1"
                    : "SELECT count(*) FROM events"
            );
        base::log().info("{}: {}, with at most {} rows", database.path().string(), what, rows);
        change();
    });
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
    base::log().info("{}: done in {:.1f} s", database.path().string(), took.count());
}

void fit_index(const sqlite_connection& database, bool wanted) {
    if (has_index(database) == wanted) return;
    change_aloud(database, wanted ? "making the index on time" : "removing the index on time", [&] {
        database.run(wanted ? make_index : drop_index);
    });
}

void bring_to_version_2(const sqlite_connection& database, bool indexes) {
    if (database.number("PRAGMA user_version") >= 2) return;
    change_aloud(database, "bringing its schema from version 1 to 2", [&] {
        if (database.number("PRAGMA user_version") >= 2) return; // somebody was faster
        database.run(indexes ? make_index : drop_index);
        set_version(database, 2);
    });
}

} // namespace

bool check_sqlite_owner(const sqlite_connection& database) {
    const bool is_new = is_empty(database) && database.number("PRAGMA application_id") == 0;
    if (!is_new) check_owner(database);
    return is_new;
}

bool prepare_sqlite_schema(const sqlite_connection& database, bool indexes) {
    // Whose it is comes first: a database of somebody else stays as it is.
    const bool is_new = check_sqlite_owner(database);
    if (const auto mode = database.text("PRAGMA journal_mode = WAL"); mode != "wal") {
        database.refuse("it cannot have a write-ahead log, its journal mode stays " + mode);
    }
    database.run("PRAGMA synchronous = FULL");
    if (is_new) set_up(database, indexes);
    check_owner(database);
    check_sqlite_fit(database);
    bring_to_version_2(database, indexes);
    fit_index(database, indexes);
    return is_new;
}

} // namespace trackd::sinks
