// From settings to parts: the one place that knows which concrete sink, backlog and options the words stand
// for.
#pragma once

#include "base/byte_budget.hpp"
#include "base/descriptor.hpp"
#include "config/settings.hpp"
#include "http/connection_peer.hpp"
#include "http/cors.hpp"
#include "http/listening_socket.hpp"
#include "http/options.hpp"
#include "http/passed_sockets.hpp"
#include "http/tls_context.hpp"
#include "intake/body_decoder.hpp"
#include "intake/completion.hpp"
#include "intake/keys.hpp"
#include "service/dead_letter_box.hpp"

#include <trackd/tracker.hpp>

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace trackd::service {

/// @param bodies outlives the workers that get the options
[[nodiscard]] http::options http_options(const config::http_settings& settings, base::byte_budget& bodies);

/// Null where nobody is trusted, and nobody asks whose a request is.
[[nodiscard]] std::shared_ptr<const http::proxy_rules> make_proxy_rules(const config::http_settings& settings
);

[[nodiscard]] intake::event_reader_options make_reader_options(const config::settings& settings);
[[nodiscard]] http::cors_policy make_cors_policy(const config::http_settings& settings);
[[nodiscard]] std::vector<intake::key_options> make_keys(const config::settings& settings);
[[nodiscard]] tracker_options make_tracker_options(const config::tracker_settings& settings);
[[nodiscard]] std::unique_ptr<backlog> make_backlog(const config::settings& settings);

/// What each I/O thread has to know of the settings that can change while it runs. One for all, immutable.
struct request_rules {
    http::options limits; ///< but for the proxies, which stay
    http::cors_policy cors;
    intake::event_reader_options reading;
    intake::decoding_limits decoding;
};

/// @param bodies outlives those who get it
[[nodiscard]] request_rules make_request_rules(const config::settings& settings, base::byte_budget& bodies);

/// Any thread, at any time.
void set_up_log(const config::log_settings& settings);

/// The file that the log is to go to; none: to standard error.
/// @throws std::runtime_error where it cannot be opened
[[nodiscard]] base::descriptor open_log_file(const config::log_settings& settings);

/// Finds out whether that can work, and makes no file.
/// @throws as `open_log_file`
void check_log_file(const config::log_settings& settings);

/// Where `backlog.kind = "journal"` keeps its files.
[[nodiscard]] std::filesystem::path journal_directory(const config::settings& settings);

[[nodiscard]] route make_route(const config::sink_settings& settings);

/// Builds one sink and opens it.
/// @throws std::runtime_error naming the sink, if it can never work as it is configured
[[nodiscard]] std::unique_ptr<sink> open_sink(const config::sink_settings& settings);

/// Builds and opens all sinks, in a data directory that is made (readable for its owner alone) where there is
/// none.
/// @throws std::runtime_error naming the directory or the sink that can never work as it is configured
[[nodiscard]] std::vector<sink_spec>
make_sinks(const config::settings& settings, const dead_letter_box& dead_letters);

/// What a listener speaks TLS with; null where it speaks none.
/// @param table where it is configured: `http.tls`
/// @throws std::runtime_error with one line naming the file and what is wrong with it
[[nodiscard]] http::shared_tls_context make_tls(std::string_view table, const config::tls_settings& settings);

/// Opens what an address of the configuration stands for, or takes it from what was passed.
/// @throws std::runtime_error with one line naming the address and what is wrong with it
[[nodiscard]] std::vector<http::listening_socket>
open_sockets(const std::string& address, http::passed_sockets& passed);

[[nodiscard]] std::size_t io_threads(const config::http_settings& settings);

/// As configured; else four fifths of the open files that we may have (the limit is raised first), but
/// leaving 32 for ourselves, and 10,000 at most.
[[nodiscard]] std::size_t max_connections(const config::http_settings& settings);

} // namespace trackd::service
