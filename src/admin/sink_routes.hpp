// `POST /sinks/SINK/pause` and its siblings: what an operator asks of one sink while the daemon runs.
#pragma once

#include "admin/overview.hpp"
#include "http/router.hpp"

#include <trackd/sink_control.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace trackd::admin {

void add_sink_routes(http::router& routes, overview& of);

/// The last part of the route, and of the command: "pause".
[[nodiscard]] std::string_view to_string(sink_action action) noexcept;

/// The body that the request needs; empty: none.
[[nodiscard]] std::string_view body_for(sink_action action) noexcept;

/// What the answer with status 200 says.
struct sink_answer {
    bool changed = false;
    std::uint64_t events = 0; ///< as in `sink_control_report`
};

/// @throws std::runtime_error if it is no such answer
[[nodiscard]] sink_answer parse_sink_answer(std::string_view json);

/// The `detail` of an answer that is an error; empty: there is none.
[[nodiscard]] std::string problem_detail(std::string_view json);

} // namespace trackd::admin
