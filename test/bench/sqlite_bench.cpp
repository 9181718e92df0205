// How fast the SQLite sink stores rows, with what an index costs, beside `sqlite3 .import` of the same rows into the
// same table.
//
//     sqlite_bench [DIRECTORY [ROWS [ROUNDS]]]
//
// All run in turn, on one thread each; printed are medians, also of what an index costs in the same round. The import
// reads its rows from a CSV file that the page cache holds, and commits once; the sink commits after every 2000 rows, as
// its delivery makes it.
#include "measuring.hpp"
#include "sink_rows.hpp"
#include "sinks/sqlite.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;
using namespace trackd;
using namespace trackd::bench;

void remove_database(const fs::path& path) {
    for (const auto* suffix : {"", "-wal", "-shm"})
        fs::remove(path.string() + suffix);
}

void run(const std::string& command) {
    if (std::system(command.c_str()) != 0) throw std::runtime_error{"this failed: " + command};
}

void run_sink(const fs::path& path, const std::vector<row>& rows, bool indexes = false) {
    const auto sink = sinks::make_sqlite_sink({.path = path, .indexes = indexes});
    write_rows(*sink, rows);
}

void run_import(const fs::path& path, const fs::path& csv) {
    run("sqlite3 '" + path.string() + "' 'PRAGMA synchronous=FULL' '.import --csv \"" + csv.string() +
        "\" events' >/dev/null");
}

// The table with an index, or without any.
struct variant {
    const char* name;
    bool indexes; // trackd's own
    const char* index = nullptr;
    figures measured{};
};

void measure(variant& of, const fs::path& path, const std::vector<row>& rows) {
    remove_database(path);
    run_sink(path, {}, of.indexes); // makes the table
    if (of.index != nullptr)
        run("sqlite3 '" + path.string() + "' 'CREATE INDEX i ON events " + of.index + "'");
    measure(of.measured, rows.size(), [&] { run_sink(path, rows, of.indexes); });
}

// Rounds are compared one by one: a busy machine slows down neighbours alike.
double ratio(const std::vector<double>& of, const std::vector<double>& to) {
    std::vector<double> rounds;
    for (std::size_t i = 0; i < of.size(); ++i)
        rounds.push_back(of[i] / to[i]);
    return median(rounds);
}

} // namespace

int main(int argc, char** argv) {
    const fs::path directory = fs::absolute(argc > 1 ? argv[1] : ".");
    const std::size_t count = argc > 2 ? std::stoul(argv[2]) : 400'000;
    const int rounds = argc > 3 ? std::stoi(argv[3]) : 5;
    const auto database = directory / "sqlite_bench.db";
    const auto csv = directory / "sqlite_bench.csv";

    const auto rows = make_rows(count);
    {
        std::ofstream out{csv};
        write_csv(out, rows);
    }
    std::vector<variant> variants{
        {"indexes = false", false},
        {"sqlite sink", true},
        {"+ (type, time)", false, "(type, time)"},
        {"+ (received_at)", false, "(received_at)"},
        {"+ both", true, "(type, time)"},
    };
    figures import;
    for (int round = 0; round < rounds; ++round) {
        for (auto& each : variants)
            measure(each, database, rows);
        remove_database(database);
        run_sink(database, {}); // makes the table
        measure(import, count, [&] { run_import(database, csv); });
    }
    remove_database(database);
    fs::remove(csv);
    print_head();
    for (const auto& each : variants)
        print(each.name, each.measured);
    print("sqlite3 .import", import);
    for (const auto& each : std::span{variants}.subspan(1)) {
        const auto& plain = variants.front().measured;
        std::printf(
            "%-16s %6.2f of the wall-clock time, %.2f of the processor time of the first\n", each.name,
            ratio(each.measured.wall, plain.wall), ratio(each.measured.processor, plain.processor)
        );
    }
}
