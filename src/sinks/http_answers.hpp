// What a server's answers mean for a sink: whose fault they are, and what an operator can do about them.
#pragma once

#include "sinks/http.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace trackd::sinks {

struct http_answer {
    long status = 0;
    std::string body{};                                ///< its beginning
    std::string location{};                            ///< where a redirect points to, or empty
    std::optional<std::chrono::seconds> retry_after{}; ///< at least so long, if the server said it
};

enum class http_fate {
    delivered, ///< the server has the events
    refused,   ///< it does not take them as they are
    failed,    ///< it may take them later, or when an operator has mended it
};

[[nodiscard]] http_fate fate_of(long status, const http_statuses& meanings);

/// One line for an answer that is no delivery: its status, what can be done about it, and how its body begins.
[[nodiscard]] std::string described(const http_answer& answer);

/// A text from elsewhere, safe in one line.
[[nodiscard]] std::string escaped(std::string_view text);

} // namespace trackd::sinks
