// What the intake costs an event: from a body's bytes to an encoded event in the batch. Prints nanoseconds an
// event of the best of several rounds.
//
//     intake_bench [rounds]
#include "intake/event_reader.hpp"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>

namespace {

using namespace trackd::intake;

constexpr std::string_view event =
    R"({"type":"page_view","source":"/web/checkout","data":{"user":"u-18273645","path":"/checkout/step-2",)"
    R"("referrer":"https://example.org/cart","session":"9f1c2a77-0d0e-4a86-9a32-4d6cc1bb1d1e","ms":1234}})";

constexpr std::size_t padding = 64; // that may be read behind a body

std::string padded(std::string body) {
    return body + std::string(padding, ' ');
}

std::string repeated(std::size_t count, std::string_view separator) {
    std::string text;
    for (std::size_t i = 0; i < count; ++i)
        text.append(i == 0 ? "" : separator).append(event);
    return text;
}

struct workload {
    std::string_view name;
    std::string_view content_type;
    std::string body;
    std::size_t events;
};

double nanoseconds_an_event(event_reader& reader, const workload& work, trackd::batch& batch) {
    using clock = std::chrono::steady_clock;
    constexpr std::size_t events_a_round = 10'000;
    const std::string_view body{work.body.data(), work.body.size() - padding};
    const request_facts facts{
        std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now()),
        work.content_type,
        {},
        {}
    };

    const auto start = clock::now();
    for (std::size_t done = 0; done < events_a_round; done += work.events) {
        if (batch.bytes() > 256UL * 1024UL) batch.clear(); // as the tracker takes it away
        if (const auto refused = reader.read(facts, body, batch)) {
            std::cerr << refused->detail << '\n';
            std::exit(EXIT_FAILURE);
        }
    }
    const std::chrono::duration<double, std::nano> took = clock::now() - start;
    return took.count() / events_a_round;
}

} // namespace

int main(int argc, char** argv) {
    const int rounds = argc > 1 ? std::atoi(argv[1]) : 200;
    const workload workloads[] = {
        {"single event", "application/json", padded(std::string{event}), 1},
        {"array of 100", "application/json", padded('[' + repeated(100, ",") + ']'), 100},
        {"NDJSON of 1000", "application/x-ndjson", padded(repeated(1000, "\n") + '\n'), 1000},
    };
    event_reader reader{{}};
    trackd::batch batch;
    double best[std::size(workloads)];
    std::fill(std::begin(best), std::end(best), 1e9);
    for (int round = 0; round < rounds; ++round) // interleaved: the machine's moods meet all of them
        for (std::size_t i = 0; i < std::size(workloads); ++i)
            best[i] = std::min(best[i], nanoseconds_an_event(reader, workloads[i], batch));
    for (std::size_t i = 0; i < std::size(workloads); ++i)
        std::cout << workloads[i].name << ": " << best[i] << " ns an event of " << event.size() << " bytes\n";
}
