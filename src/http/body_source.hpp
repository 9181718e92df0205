// Where the body of an answer comes from that is sent bit by bit, for as long as there is more to say.
#pragma once

#include <functional>
#include <string>

namespace trackd::http {

/// Belongs to the connection whose answer it is, and is used on its thread alone. It is destroyed when its end was
/// pulled, when the client has gone or does not read, and at the end of a shutdown.
///
/// While the client does not read, nothing is pulled: to bound what gathers meanwhile is for the source.
class body_source {
public:
    body_source() = default;
    body_source(const body_source&) = delete;
    body_source& operator=(const body_source&) = delete;
    virtual ~body_source() = default;

    /// Called once, first.
    /// @param news to be called when there is something to pull again; valid while this lives
    virtual void begin(std::function<void()> news) = 0;

    /// Appends what there is, without waiting.
    /// @return whether there will be more; if not, the answer ends
    [[nodiscard]] virtual bool pull(std::string& out) = 0;
};

} // namespace trackd::http
