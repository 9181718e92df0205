// The statuses of HTTP, and their classes, as answers are named by them.
#pragma once

#include <string_view>

namespace trackd::config {

/// Whether it is a status that an answer ends with, `200` to `599`, or a class of them, `2xx` to `5xx`.
[[nodiscard]] bool names_status(std::string_view text) noexcept;

/// Of what `names_status` takes: whether it is a class.
[[nodiscard]] constexpr bool is_class(std::string_view status) noexcept {
    return status.ends_with("xx");
}

} // namespace trackd::config
