// The rejected requests of `/status`, for people.
#pragma once

#include <boost/json/value.hpp>

#include <string>

namespace trackd::service {

/// A line of counts by status and reason, and the newest rejections, a line each. Empty where there was none.
/// @param page the answer of `/status`
[[nodiscard]] std::string rejections_text(const boost::json::value& page);

} // namespace trackd::service
