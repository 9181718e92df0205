// What a refusal, or an error of the lane, means in HTTP. Each format says it in its own words and shape.
#pragma once

#include "http/response.hpp"
#include "intake/refusal.hpp"

#include <boost/system/error_code.hpp>

#include <chrono>
#include <string_view>

namespace trackd::intake {

/// A status, and a short stable name for programs.
struct refusal_meaning {
    http::status code;
    std::string_view slug;
};

[[nodiscard]] refusal_meaning meaning_of(refusal_kind kind) noexcept;

/// Why events that could be read are not taken, or not known to be safe.
struct failure_meaning {
    http::status code;
    std::string_view slug;
    std::string_view detail; ///< one sentence for people, which says what became of the events
    bool retry = false;      ///< the same request may fare better after a while
    bool close = false;      ///< but not on this connection
};

/// Why the decoded body of a request cannot be held now.
inline constexpr auto no_room_for_body = boost::system::errc::not_enough_memory;

/// @param failed what `lane::admit` or `lane::acknowledged` said, or `no_room_for_body`
[[nodiscard]] failure_meaning meaning_of(boost::system::error_code failed) noexcept;

/// Both in the form of RFC 9457, as the native endpoint answers.
void answer_problem(http::response& res, const refusal& refused);
void answer_problem(http::response& res, boost::system::error_code failed, std::chrono::seconds retry_after);

} // namespace trackd::intake
