// What a handler may leave to be waited for before its answer holds.
#pragma once

#include "http/body_source.hpp"
#include "http/response.hpp"
#include "http/task.hpp"

#include <boost/asio/any_completion_handler.hpp>
#include <boost/system/error_code.hpp>

#include <memory>
#include <optional>
#include <utility>

namespace trackd::http {

/// Whoever gives handlers his word that something will hold, such as that events are on disk: their answers are filled
/// in already, and wait for him to keep it. Outlives them, on their thread.
class promiser {
public:
    virtual ~promiser() = default;

    /// Calls the handler later, once, on this thread: without an error where what was promised last holds.
    virtual void when_kept(boost::asio::any_completion_handler<void(boost::system::error_code)> handler) = 0;

    /// Fills in the answer to a request whose promise was broken.
    virtual void apologise(boost::system::error_code broken, response& res) = 0;
};

/// Nothing, where the response is filled in; or work, after which it is: request and response stay in place until then;
/// or a promise: the response is filled in, and nothing else is needed any more; or a source, where all of the response
/// is filled in but its body: the connection is closed after it, which is how the client sees the end.
class pending {
public:
    pending() noexcept = default;

    pending(std::nullopt_t) noexcept {} // NOLINT(google-explicit-constructor): as handlers return it

    pending(task<void> work) noexcept : work_{std::move(work)} {} // NOLINT(google-explicit-constructor)

    pending(promiser& by) noexcept : promiser_{&by} {} // NOLINT(google-explicit-constructor)

    pending(std::unique_ptr<body_source> body) noexcept // NOLINT(google-explicit-constructor)
        : source_{std::move(body)} {}

    [[nodiscard]] explicit operator bool() const noexcept {
        return work_ || promiser_ != nullptr || source_ != nullptr;
    }

    [[nodiscard]] std::optional<task<void>>& work() noexcept { return work_; }

    [[nodiscard]] promiser* promised() const noexcept { return promiser_; }

    [[nodiscard]] std::unique_ptr<body_source>& source() noexcept { return source_; }

private:
    std::optional<task<void>> work_;
    promiser* promiser_ = nullptr;
    std::unique_ptr<body_source> source_;
};

} // namespace trackd::http
