// http_load: load for one server on this machine, and one line of JSON that says how it was answered.
#include "bench/load/load.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <exception>
#include <fstream>
#include <iostream>
#include <iterator>
#include <limits>

using namespace trackd::bench;

namespace {

load_options read_command_line(CLI::App& app, int count, char** words, bool& hold) {
    load_options options;
    std::string request;
    app.add_option("port", options.port, "of 127.0.0.1")->required();
    app.add_option("request", request, "the file with all bytes of the request")
        ->required()
        ->check(CLI::ExistingFile);
    app.add_option("--connections", options.connections)
        ->check(CLI::Range(1, 100'000))
        ->capture_default_str();
    app.add_option("--depth", options.depth, "requests that a connection sends at once")
        ->check(CLI::Range(1, 1000))
        ->capture_default_str();
    app.add_option("--seconds", options.seconds)->check(CLI::Range(0.01, 3600.0))->capture_default_str();
    app.add_option("--requests", options.requests, "at most; else as many as fit into the time");
    app.add_option(
           "--rate", options.rate, "requests a second, whatever the answers do; else as fast as they come"
    )
        ->check(CLI::Range(1.0, 10'000'000.0));
    app.add_flag("--hold", hold, "keep the connections until standard input ends");
    app.parse(count, words);
    std::ifstream file{request, std::ios::binary};
    options.request.assign(std::istreambuf_iterator<char>{file}, {});
    return options;
}

void print(const load_result& result) {
    std::printf("{\"statuses\":{");
    const char* separator = "";
    for (const auto& [status, count] : result.statuses) {
        std::printf("%s\"%d\":%llu", separator, status, static_cast<unsigned long long>(count));
        separator = ",";
    }
    std::printf(
        "},\"answers\":%llu,\"broken\":%llu,\"unanswered\":%llu,\"seconds\":%.6f,\"latency_us\":{",
        static_cast<unsigned long long>(result.answers), static_cast<unsigned long long>(result.broken),
        static_cast<unsigned long long>(result.unanswered), result.seconds
    );
    for (const auto& [name, percent] :
         {std::pair{"p50", 50.0}, {"p90", 90.0}, {"p99", 99.0}, {"p99.9", 99.9}})
        std::printf("\"%s\":%.1f,", name, static_cast<double>(result.latency.percentile(percent)) / 1000);
    std::printf(
        "\"max\":%.1f,\"mean\":%.1f}}\n", static_cast<double>(result.latency.max()) / 1000,
        result.latency.mean() / 1000
    );
    std::fflush(stdout);
}

} // namespace

int main(int count, char** words) {
    CLI::App app{
        "Sends one request over and over to a server on this machine, and times the answers.", "http_load"
    };
    bool hold = false;
    try {
        load load{read_command_line(app, count, words, hold)};
        print(load.run());
        if (hold) std::cin.ignore(std::numeric_limits<std::streamsize>::max());
        return 0;
    } catch (const CLI::ParseError& what) {
        return app.exit(what);
    } catch (const std::exception& what) {
        std::fprintf(stderr, "http_load: %s\n", what.what());
        return 1;
    }
}
