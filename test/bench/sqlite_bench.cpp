// How fast the SQLite sink stores rows, beside `sqlite3 .import` of the same rows into the same table.
//
//     sqlite_bench [DIRECTORY [ROWS [ROUNDS]]]
//
// Both run in turn, on one thread each; printed are medians. The import reads its rows from a CSV file that the page
// cache holds, and commits once; the sink commits after every 2000 rows, as its delivery makes it.
#include "measuring.hpp"
#include "sink_rows.hpp"
#include "sinks/sqlite.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
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

void run_sink(const fs::path& path, const std::vector<row>& rows) {
    const auto sink = sinks::make_sqlite_sink({.path = path});
    write_rows(*sink, rows);
}

void run_import(const fs::path& path, const fs::path& csv) {
    const auto command = "sqlite3 '" + path.string() + "' 'PRAGMA synchronous=FULL' '.import --csv \"" +
                         csv.string() + "\" events' >/dev/null";
    if (std::system(command.c_str()) != 0) throw std::runtime_error{"this failed: " + command};
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
    figures sink;
    figures import;
    for (int round = 0; round < rounds; ++round) {
        remove_database(database);
        measure(sink, count, [&] { run_sink(database, rows); });
        remove_database(database);
        run_sink(database, {}); // makes the table
        measure(import, count, [&] { run_import(database, csv); });
    }
    remove_database(database);
    fs::remove(csv);
    print_head();
    print("sqlite sink", sink);
    print("sqlite3 .import", import);
}
