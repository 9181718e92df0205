// How a sender of CloudEvents asks whether it may send: the abuse protection of their webhook rules.
#pragma once

#include "http/request.hpp"
#include "http/response.hpp"

namespace trackd::intake {

/// Answers `OPTIONS` at a path that takes events: the sender that names itself in `WebHook-Request-Origin` may
/// send, and as fast as it likes. Without that field it is a plain question for the methods.
void answer_options(const http::request& req, http::response& res);

} // namespace trackd::intake
