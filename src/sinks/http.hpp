// A sink that POSTs events to a URL.
#pragma once

#include "base/sink_choices.hpp"

#include <trackd/sink.hpp>

#include <spdlog/logger.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace trackd::sinks {

using base::http_compression;
using base::http_format;

/// What its answers mean: statuses such as `404`, or classes of them such as `4xx`, which count for those that stand in no
/// list themselves. What is in no list is as in `retried`.
struct http_statuses {
    std::vector<std::string> delivered{"2xx"};
    std::vector<std::string> retried{"408", "425", "429"};
    std::vector<std::string> refused{"400", "409", "413", "422"};
};

struct http_options {
    std::string url{}; ///< `http` or `https`, without a user
    http_format format = http_format::ndjson;
    std::vector<std::string> headers{}; ///< `Name: value`; Content-Type takes the place of the format's own
    http_compression compression = http_compression::none;
    std::chrono::milliseconds timeout{30'000};         ///< of a whole request
    std::chrono::milliseconds connect_timeout{10'000}; ///< of which so much until it is connected
    std::string ca_file{};                             ///< PEM; empty: the system's authorities
    std::string client_certificate{};                  ///< PEM; empty: none
    std::string client_key{};                          ///< PEM; empty: in the file of the certificate
    bool verify = true;                                ///< the server's certificate
    http_statuses statuses{};
};

/// One request a write; its events count as stored when the answer is a delivery, by `statuses`. The same events may be
/// sent again, in other batches: `source` and `id` tell which they are.
///
/// `open` throws for options that can never work, and needs no server. What refuses, by `statuses`, is the events' fault
/// (`events_refused`); every other answer, and none, is tried again (docs/sinks.md).
/// @param log outlives the sink
[[nodiscard]] std::unique_ptr<sink> make_http_sink(http_options options, spdlog::logger& log);

} // namespace trackd::sinks
