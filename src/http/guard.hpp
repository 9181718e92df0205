// Who may have a request served: asked before its body is read. This folder knows no more of it.
#pragma once

#include "http/request.hpp"
#include "http/response.hpp"

#include <cstdint>
#include <optional>

namespace trackd::http {

/// Whom the guard has to know before a route's handler sees a request.
enum class access : unsigned char {
    known, ///< the client, by the request's head
    late,  ///< the client, but the handler may find out who it is: a head that does not say is let through
    open,  ///< nobody: the guard is not asked
};

/// One a thread, like the router that asks it.
class guard {
public:
    guard() = default;
    guard(const guard&) = delete;
    guard& operator=(const guard&) = delete;
    virtual ~guard() = default;

    /// Whether there is anybody to be kept out. If not, nothing else is asked. For every request: has to be cheap.
    [[nodiscard]] virtual bool is_on() noexcept = 0;

    /// The head is there and sound, and has a handler. The body may not be there yet.
    /// @param body_bytes what the body will have; nothing where only its end will tell
    /// @param wanted     not `open`
    /// @return whether the request may go on: then it has its `caller`. Otherwise `res`, which was empty, is the answer
    [[nodiscard]] virtual bool
    admit_head(request& req, std::optional<std::uint64_t> body_bytes, access wanted, response& res) = 0;

    /// The same, once the size of a body that was not announced is known. Only for requests with a `caller`.
    [[nodiscard]] virtual bool admit_body(const request& req, response& res) = 0;
};

} // namespace trackd::http
