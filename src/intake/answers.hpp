// What a refusal, or an error of the lane, means in HTTP. The form it is said in is the route's.
#pragma once

#include "http/response.hpp"
#include "intake/refusal.hpp"

#include <boost/system/error_code.hpp>

#include <chrono>

namespace trackd::intake {

/// Nothing could be read.
void answer_problem(http::response& res, const refusal& refused);

/// What could be read is not taken, or not known to be safe. Where it may be later, the answer says when.
/// @param failed what `lane::admit` or `lane::acknowledged` said
void answer_problem(http::response& res, boost::system::error_code failed, std::chrono::seconds retry_after);

} // namespace trackd::intake
