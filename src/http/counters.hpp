// What a worker counts: written by its own thread, read by any.
#pragma once

#include "base/counter.hpp"
#include "http/answer_counters.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace trackd::http {

using base::counter;

/// Why a request was answered before any handler saw it.
enum class refusal : std::uint8_t {
    malformed,       ///< no HTTP, or a framing that two readers could take in two ways: 400
    timeout,         ///< 408
    body_too_large,  ///< 413
    bodies_full,     ///< no room for its body beside the others: 503
    target_too_long, ///< 414
    expectation,     ///< an `Expect` other than `100-continue`: 417
    head_too_large,  ///< bytes or number of header fields, or trailers: 431
    transfer_coding, ///< a transfer coding other than chunked: 501
    closing,         ///< not complete when the time for it was over, at shutdown: 503
    version,         ///< neither HTTP/1.0 nor HTTP/1.1: 505
    not_admitted,    ///< the guard did not let it in, or its address has as many as it may have
    count_           // how many there are
};

/// The reason in a metric's label: `body_too_large`.
[[nodiscard]] std::string_view to_string(refusal reason) noexcept;

/// What somebody had too much of, or was too late for. Most are options of the configuration.
enum class limit : std::uint8_t {
    max_connections,             ///< all are taken, and new ones wait
    open_files,                  ///< no descriptors or memory for another connection: new ones wait
    max_connections_per_address, ///< closed at once
    max_head_bytes,              ///< 431, or 414
    header_fields,               ///< more than `options::max_fields`: 431
    max_body_bytes,              ///< 413
    max_bodies_bytes,            ///< 503
    head_timeout,                ///< 408; no TLS handshake, or not a byte: closed
    body_timeout,                ///< 408
    min_body_rate,               ///< 408
    idle_timeout,                ///< closed
    write_timeout,               ///< cut off
    count_                       // how many there are
};

inline constexpr auto all_limits = base::all_values<limit>;

/// In a metric's label: the key of the configuration, `http.max_body_bytes`, where it has one.
[[nodiscard]] std::string_view to_string(limit which) noexcept;

/// How often each was hit.
using limit_counters = base::counters_of<limit>;

struct counters {
    /// @param routes the patterns of the routes, by their numbers
    explicit counters(std::vector<std::string> routes) : answers(std::move(routes)) {}

    counter connections_accepted;
    counter connections_closed;
    counter tls_handshakes; ///< that were completed
    counter tls_failures;   ///< handshakes that were begun, and not completed
    counter proxy_failures; ///< connections of proxies that did not begin with a sound header
    counter requests;       ///< those that came to the router
    counter handler_errors; ///< exceptions that left a handler, each answered 500
    route_counters answers;
    std::array<counter, static_cast<std::size_t>(refusal::count_)> refusals;
    limit_counters limits;
    counter bytes_received;
    counter bytes_sent;

    [[nodiscard]] std::uint64_t connections_open() const noexcept {
        const auto closed = connections_closed.value(); // first: it never overtakes the other
        return connections_accepted.value() - closed;
    }
};

} // namespace trackd::http
