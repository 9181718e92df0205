// The HTTP sink alone, for http_bench.py.
//
//     http_bench ROWS URL [gzip|zstd]   POSTs the rows, and prints what it took
//     http_bench ROWS                   prints the bodies of these POSTs, one after the other
#include "base/log.hpp"
#include "measuring.hpp"
#include "sink_rows.hpp"
#include "sinks/http.hpp"
#include "sinks/http_bodies.hpp"

#include <exception>
#include <iostream>
#include <string>
#include <string_view>

namespace {

using trackd::sinks::http_compression;

http_compression compression_of(std::string_view word) {
    if (word == "gzip") return http_compression::gzip;
    if (word == "zstd") return http_compression::zstd;
    throw std::runtime_error{"usage: http_bench ROWS [URL [gzip|zstd]]"};
}

/// Prints what it is given.
class printing_sink final : public trackd::sink {
public:
    trackd::write_result write(std::span<const trackd::event_view> events, std::stop_token) override {
        std::cout << trackd::sinks::http_body(events, trackd::sinks::http_format::ndjson);
        return {.confirmed = events.size()};
    }
};

} // namespace

int main(int argc, char** argv) try {
    if (argc < 2) throw std::runtime_error{"usage: http_bench ROWS [URL [gzip|zstd]]"};
    const auto rows = trackd::bench::make_rows(std::stoul(argv[1]));
    if (argc == 2) {
        printing_sink out;
        trackd::bench::write_rows(out, rows);
        return 0;
    }
    trackd::sinks::http_options options;
    options.url = argv[2];
    if (argc > 3) options.compression = compression_of(argv[3]);
    const auto sink = trackd::sinks::make_http_sink(std::move(options), trackd::base::log());
    trackd::bench::measure_alone(rows.size(), [&] { trackd::bench::write_rows(*sink, rows); });
    return 0;
} catch (const std::exception& why) {

    std::cerr << why.what() << '\n';
    return 1;
}
