// What a start found, as `/status` shows it.
#pragma once

#include <trackd/backlog.hpp>
#include <trackd/tracker.hpp>

#include <boost/json/object.hpp>

#include <string_view>

namespace trackd::admin {

/// As in a metric's label.
[[nodiscard]] std::string_view to_string(run_end last_run) noexcept;

[[nodiscard]] boost::json::object last_run_page(const journal_status& journal);

[[nodiscard]] boost::json::object at_start_page(const pending_at_start& pending);

} // namespace trackd::admin
