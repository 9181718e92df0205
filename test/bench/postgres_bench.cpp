// The PostgreSQL sink alone, for postgres_bench.py.
//
//     postgres_bench ROWS CONNECTION   stores the rows in the table events, made if missing, and prints what it took
//     postgres_bench ROWS              prints the same rows as CSV
#include "base/log.hpp"
#include "measuring.hpp"
#include "sink_rows.hpp"
#include "sinks/postgres.hpp"

#include <exception>
#include <iostream>
#include <string>

int main(int argc, char** argv) try {
    if (argc < 2) throw std::runtime_error{"usage: postgres_bench ROWS [CONNECTION]"};
    const auto rows = trackd::bench::make_rows(std::stoul(argv[1]));
    if (argc == 2) {
        trackd::bench::write_csv(std::cout, rows);
        return 0;
    }
    const auto sink =
        trackd::sinks::make_postgres_sink({.connection = argv[2], .create_table = true}, trackd::base::log());
    trackd::bench::measure_alone(rows.size(), [&] { trackd::bench::write_rows(*sink, rows); });
    return 0;
} catch (const std::exception& why) {

    std::cerr << why.what() << '\n';
    return 1;
}
