// One I/O thread's way into the tracker: admission without a lock, hand-over once a turn of the loop.
#pragma once

#include <trackd/batch.hpp>
#include <trackd/error.hpp>

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <string_view>

namespace trackd {

/// The events of one request are encoded into `events()`, after `mark()`, and then either admitted or
/// dropped:
///
///     auto start = lane.mark();
///     lane.events().append(event);            // once or many times
///     auto refused = lane.admit(start);       // all of them, or none: then events() is as it was
///     if (!refused && lane.waits_for_ack())
///         refused = co_await lane.acknowledged();
///
/// Between `mark` and `admit` or `drop` there is no `co_await`. Confined to the thread it was made for; owned
/// by the tracker.
class lane {
public:
    using executor_type = boost::asio::io_context::executor_type;

    virtual ~lane() = default;

    [[nodiscard]] batch& events() noexcept { return staged_; }

    [[nodiscard]] batch::mark mark() const noexcept { return staged_.end_mark(); }

    /// Forgets what was appended since the mark.
    void drop(batch::mark since) { staged_.truncate(since); }

    /// Takes credit for what was appended since the mark. Never waits.
    /// @param sender for those who look on: the name of whoever sent it; empty: it is not known
    /// @return no error, or errc::backlog_full, too_large, sealed, journal_full or journal_failed, after which nothing
    /// of it is kept
    [[nodiscard]] virtual boost::system::error_code admit(batch::mark since, std::string_view sender) = 0;

    [[nodiscard]] boost::system::error_code admit(batch::mark since) { return admit(since, {}); }

    /// Whether an acknowledgement needs more than admission (any ack but `accepted`).
    [[nodiscard]] virtual bool waits_for_ack() const noexcept = 0;

    using ack_handler = boost::asio::any_completion_handler<void(boost::system::error_code)>;

    /// Calls the handler when the promise holds for what was admitted here last: once, on the lane's thread, and never
    /// from within.
    /// Its error: none; errc::not_confirmed: it is stored; errc::journal_full: it is not; errc::journal_failed or
    /// journal_slow: it may be.
    virtual void when_acknowledged(ack_handler handler) = 0;

    /// The same for a coroutine.
    [[nodiscard]] boost::asio::awaitable<boost::system::error_code, executor_type> acknowledged();

    /// When it may be worth to try again what was refused for want of room: from the rate at which events are
    /// delivered.
    [[nodiscard]] virtual std::chrono::seconds retry_after() const noexcept = 0;

protected:
    batch staged_;
};

} // namespace trackd
