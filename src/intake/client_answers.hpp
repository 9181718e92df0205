// Errors as the client libraries of analytics services can read them: one shape for all of them.
#pragma once

#include "http/response.hpp"
#include "intake/refusal.hpp"

#include <boost/system/error_code.hpp>

#include <chrono>

namespace trackd::intake {

/// In place of the answer that `res` holds: the key is wrong, or may not do this. Header fields stay.
void answer_client_denied(http::response& res);

/// 400, whatever is wrong: clients take any other status that means "never" for a reason to try again, or to
/// send smaller pieces.
void answer_client_error(http::response& res, const refusal& refused);

/// 503 with `Retry-After`, or 400 where trying again is of no use.
void answer_client_error(
    http::response& res, boost::system::error_code failed, std::chrono::seconds retry_after
);

} // namespace trackd::intake
