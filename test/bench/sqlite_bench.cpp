// How fast the SQLite sink stores rows, beside `sqlite3 .import` of the same rows into the same table.
//
//     sqlite_bench [DIRECTORY [ROWS [ROUNDS]]]
//
// Both run in turn, on one thread each; printed are the median microseconds a row of wall-clock and of
// processor time. The import reads its rows from a CSV file that the page cache holds, and commits once; the
// sink commits after every 2000 rows, as its delivery makes it.
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
#include <sys/resource.h>
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
    sink->open();
    write_rows(*sink, rows);
    sink->close();
}

void run_import(const fs::path& path, const fs::path& csv) {
    const auto command = "sqlite3 '" + path.string() + "' 'PRAGMA synchronous=FULL' '.import --csv \"" +
                         csv.string() + "\" events' >/dev/null";
    if (std::system(command.c_str()) != 0) throw std::runtime_error{"this failed: " + command};
}

double processor_seconds() {
    double sum = 0;
    for (const int who : {RUSAGE_SELF, RUSAGE_CHILDREN}) {
        rusage used{};
        ::getrusage(who, &used);
        for (const auto& time : {used.ru_utime, used.ru_stime}) {
            sum += static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
        }
    }
    return sum;
}

struct figures {
    std::vector<double> wall;
    std::vector<double> processor;
};

template <typename Work>
void measure(figures& into, std::size_t rows, Work work) {
    const auto began = std::chrono::steady_clock::now();
    const auto used = processor_seconds();
    work();
    const std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - began;
    into.wall.push_back(took.count() / static_cast<double>(rows));
    into.processor.push_back((processor_seconds() - used) * 1e6 / static_cast<double>(rows));
}

double median(std::vector<double> values) {
    std::ranges::sort(values);
    return values[values.size() / 2];
}

void print(const char* name, const figures& of) {
    std::printf(
        "%-16s %6.2f us/row wall  %6.2f us/row cpu  %9.0f rows/s\n", name, median(of.wall),
        median(of.processor), 1e6 / median(of.wall)
    );
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
    print("sqlite sink", sink);
    print("sqlite3 .import", import);
    std::printf("sink / import: %.2f of the wall-clock time\n", median(sink.wall) / median(import.wall));
}
