// What the benches of sinks share: rows, writing them as a delivery does, and measuring it.
#pragma once

#include "base/uuid7.hpp"

#include <trackd/sink.hpp>

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <sys/resource.h>
#include <vector>

namespace trackd::bench {

inline constexpr std::size_t rows_a_write = 2000;
inline constexpr auto source = "shop";
inline constexpr auto type = "order.created";

struct row {
    std::string id;
    std::string data;
    wall_time time;
};

// What comes in without ids of its own: UUIDs of version 7, and 200 bytes of JSON.
inline std::vector<row> make_rows(std::size_t count) {
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

inline event_view view_of(const row& from) {
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

inline void write_all(sink& to, const std::vector<row>& rows) {
    std::vector<event_view> events;
    for (std::size_t at = 0; at < rows.size(); at += rows_a_write) {
        events.clear();
        for (auto i = at; i < std::min(rows.size(), at + rows_a_write); ++i)
            events.push_back(view_of(rows[i]));
        if (to.write(events, {}).confirmed != events.size()) throw std::runtime_error{"a write fell short"};
    }
}

inline double processor_seconds() {
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

inline double median(std::vector<double> values) {
    std::ranges::sort(values);
    return values[values.size() / 2];
}

inline void print(const char* name, const figures& of) {
    std::printf(
        "%-16s %6.2f us/row wall  %6.2f us/row cpu  %9.0f rows/s\n", name, median(of.wall),
        median(of.processor), 1e6 / median(of.wall)
    );
}

} // namespace trackd::bench
