// The bounds of what one client may ask of us, bytes and time; and whom to believe who that client is.
#pragma once

#include "base/byte_budget.hpp"

#include <chrono>
#include <cstddef>
#include <memory>

namespace trackd::http {

struct proxy_rules;

/// All times are per phase of one connection, measured in ticks of `worker::tick`: they end up to one tick
/// late.
struct options {
    std::size_t max_head_bytes = 16U * 1024U;        ///< request line and header fields; 1 KiB or more
    std::size_t max_fields = 100;                    ///< header fields a request; 1 or more
    std::size_t max_body_bytes = 4U * 1024U * 1024U; ///< after the transfer coding is taken off
    /// What the bodies of all connections may take together, as far as they are larger than what a connection keeps
    /// anyway (503 where it is used up); outlives them. Null: any amount.
    base::byte_budget* bodies = nullptr;
    std::size_t max_waiting_answer_bytes =
        64U * 1024U;                            ///< a client that does not read gets no more requests read
    std::size_t max_linger_bytes = 64U * 1024U; ///< read and thrown away after our last answer

    std::chrono::milliseconds idle_timeout{75'000}; ///< between requests: the client is closed, silently
    std::chrono::milliseconds head_timeout{10'000
    }; ///< from a request's first byte to its last header field: 408
    std::chrono::milliseconds body_timeout{30'000};  ///< for the whole body: 408
    std::chrono::milliseconds body_grace{5'000};     ///< after it, the body must keep `min_body_rate`: 408
    std::size_t min_body_rate = 500;                 ///< bytes a second, over the time since the head; 0: any
    std::chrono::milliseconds write_timeout{30'000}; ///< for the answers that wait: the client is cut off
    std::chrono::milliseconds linger_timeout{2'000}; ///< between our half of the close and the client's

    std::shared_ptr<const proxy_rules>
        proxies; ///< null: nobody is trusted, and nobody asks whose a request is
};

} // namespace trackd::http
