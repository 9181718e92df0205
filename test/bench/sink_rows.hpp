// The rows that the benchmarks of sinks write, beside what a tool of the same database makes of them as CSV.
#pragma once

#include "base/rfc3339.hpp"
#include "base/uuid7.hpp"

#include <trackd/sink.hpp>

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <chrono>
#include <ostream>
#include <stdexcept>
#include <string>
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

/// The columns of the sinks' tables, from `id` to `extensions`.
inline void write_csv(std::ostream& out, const std::vector<row>& rows) {
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

/// As a delivery does, 2000 rows at a time, from the sink's opening to its close.
inline void write_rows(sink& to, const std::vector<row>& rows) {
    to.open();
    std::vector<event_view> events;
    for (std::size_t at = 0; at < rows.size(); at += rows_a_write) {
        events.clear();
        for (auto i = at; i < std::min(rows.size(), at + rows_a_write); ++i)
            events.push_back(view_of(rows[i]));
        if (to.write(events, {}).confirmed != events.size()) throw std::runtime_error{"a write fell short"};
    }
    to.close();
}

} // namespace trackd::bench
