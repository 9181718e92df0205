// How fast the SQLite sink stores rows, beside `sqlite3 .import` of the same rows into the same table.
//
//     sqlite_bench [DIRECTORY [ROWS [ROUNDS]]]
//
// Both run in turn, on one thread each; printed are the median microseconds a row of wall-clock and of
// processor time. The import reads its rows from a CSV file that the page cache holds, and commits once; the
// sink commits after every 2000 rows, as its delivery makes it.
#include "base/rfc3339.hpp"
#include "base/uuid7.hpp"
#include "sinks/sqlite.hpp"

#include <spdlog/fmt/fmt.h>

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

constexpr std::size_t rows_a_write = 2000;
constexpr auto source = "shop";
constexpr auto type = "order.created";

struct row {
    std::string id;
    std::string data;
    wall_time time;
};

// What comes in without ids of its own: UUIDs of version 7, and 200 bytes of JSON.
std::vector<row> make_rows(std::size_t count) {
    base::uuid7_generator ids{7};
    std::vector<row> rows(count);
    for (std::size_t i = 0; i < count; ++i) {
        const auto time =
            wall_time{std::chrono::microseconds{1'790'000'000'000'000 + static_cast<std::int64_t>(i) * 20}};
        const auto id = ids.next(time);
        rows[i] = {
            .id = {id.data(), id.size()},
            .data = fmt::format(
                R"({{"order":{},"customer":{},"note":"a parcel that is to be left with the neighbours if nobody opens, )"
                R"(or else in the shed behind the house, which is never locked in the summer months"}})",
                i, i * 7919 % 100'003
            ),
            .time = time,
        };
    }
    return rows;
}

event_view view_of(const row& from) {
    event_view event;
    event.id = from.id;
    event.source = source;
    event.type = type;
    event.data = from.data;
    event.kind = data_kind::json;
    event.time = from.time;
    event.received_at = from.time;
    return event;
}

void write_csv(const fs::path& path, const std::vector<row>& rows) {
    std::ofstream out{path};
    for (const auto& each : rows) {
        std::string time;
        base::append_rfc3339(time, each.time);
        std::string data;
        for (const char c : each.data)
            data += c == '"' ? std::string{"\"\""} : std::string{c};
        out << each.id << ',' << source << ',' << type << ',' << time << ',' << time << ",,,\"" << data
            << "\",\n";
    }
}

void remove_database(const fs::path& path) {
    for (const auto* suffix : {"", "-wal", "-shm"})
        fs::remove(path.string() + suffix);
}

void run_sink(const fs::path& path, const std::vector<row>& rows) {
    const auto sink = sinks::make_sqlite_sink({.path = path});
    sink->open();
    std::vector<event_view> events;
    for (std::size_t at = 0; at < rows.size(); at += rows_a_write) {
        events.clear();
        for (auto i = at; i < std::min(rows.size(), at + rows_a_write); ++i)
            events.push_back(view_of(rows[i]));
        if (sink->write(events, {}).confirmed != events.size())
            throw std::runtime_error{"a write fell short"};
    }
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
    write_csv(csv, rows);
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
