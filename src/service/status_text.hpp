// What `/status` says, for people.
#pragma once

#include <string>
#include <string_view>

namespace trackd::service {

/// @param json as the daemon says it
/// @return some lines, and a table of the sinks
/// @throws std::runtime_error if it is no such answer
[[nodiscard]] std::string status_text(std::string_view json);

} // namespace trackd::service
