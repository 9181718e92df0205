// All connections of one I/O thread, and what they share.
#pragma once

#include "http/connection_limit.hpp"
#include "http/counters.hpp"
#include "http/native_socket.hpp"
#include "http/options.hpp"
#include "http/router.hpp"
#include "http/task.hpp"
#include "http/tls_context.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace trackd::http {

/// One live connection, for people who look for a leak.
struct connection_info {
    std::string_view
        state; ///< idle, head, body, handling, writing, lingering, handshake, proxy_header, streaming
    std::chrono::milliseconds in_state;
    std::chrono::milliseconds age; ///< since it was accepted
    /// `192.0.2.1:50000`, or `192.0.2.1` where a proxy has named it, or `unix`; empty where it was not asked for
    std::string peer;
    bool tls = false;
    std::uint64_t requests = 0; ///< that were answered
    std::uint64_t bytes_received = 0;
    std::uint64_t bytes_sent = 0; ///< both without TLS
};

/// Serves connections on one io_context that one thread runs; the thread is its owner's.
///
/// Everything is called on its executor where not said otherwise. It ends thus: `announce_close` (if there is
/// time for it), `begin_close`, `join`. Destroyed only after `join` returned true, or before anything was
/// adopted.
class worker {
public:
    using time_point = std::chrono::steady_clock::time_point;

    /// How finely timeouts are told apart: one timer serves them all.
    static constexpr std::chrono::milliseconds tick{100};

    /// For `join`: wait as long as it takes.
    static constexpr time_point never = time_point::max();

    /// @param routes this thread's own
    worker(boost::asio::io_context& context, const options& limits, router routes);
    ~worker();
    worker(const worker&) = delete;
    worker& operator=(const worker&) = delete;

    /// Any thread.
    [[nodiscard]] executor_type executor() const noexcept;

    /// Serves this socket from now on. Any thread.
    /// @param tls what to speak TLS with; null: none is spoken
    void adopt(native_socket socket, connection_slot slot, shared_tls_context tls = {});

    /// Any thread.
    [[nodiscard]] const counters& figures() const noexcept;

    /// Those that are open, the oldest first.
    /// @param with_peers a question to the system for each of them
    [[nodiscard]] std::vector<connection_info>
    connections(std::size_t most = SIZE_MAX, bool with_peers = false) const;

    /// From now on these bounds hold, and these web pages may read answers. A request whose first byte is there is
    /// read by those that it began with, and so does a time that runs already end. The proxies stay as they are.
    void use(options limits, cors_policy cors);

    /// From here on every answer says `Connection: close`, and its connection is closed after it.
    void announce_close();

    /// The same, and sets an end: a connection without a request is closed at `idle_deadline`, one whose
    /// request has not arrived in full is answered 503 at `request_deadline`, and whatever is not ended then
    /// is cut off, except where a handler has not returned: it is waited for, as its answer may be worth
    /// something. Deadlines of a second call count where they are earlier.
    void begin_close(time_point idle_deadline, time_point request_deadline);

    /// Both deadlines are now.
    void hurry();

    /// Waits until no connection lives, or until the given time.
    /// @return whether none lives
    [[nodiscard]] task<bool> join(time_point until = never);

private:
    class impl;
    std::unique_ptr<impl> impl_;
};

} // namespace trackd::http
