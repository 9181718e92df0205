#include "service/parts.hpp"

#include "base/file_access.hpp"
#include "base/log.hpp"
#include "base/processors.hpp"
#include "base/sha256.hpp"
#include "service/directories.hpp"
#include "service/sink_kinds.hpp"

#include <trackd/journal.hpp>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <stdexcept>
#include <sys/resource.h>
#include <system_error>
#include <unistd.h>

namespace trackd::service {

namespace {

ack_mode ack_of(config::ack_mode mode) {
    switch (mode) {
    case config::ack_mode::accepted: return ack_mode::accepted;
    case config::ack_mode::journaled: return ack_mode::journaled;
    case config::ack_mode::delivered: return ack_mode::delivered;
    }
    throw std::logic_error{"an unknown tracker.ack"};
}

journal_sync sync_of(config::journal_sync when) {
    switch (when) {
    case config::journal_sync::always: return journal_sync::always;
    case config::journal_sync::interval: return journal_sync::interval;
    case config::journal_sync::never: return journal_sync::never;
    }
    throw std::logic_error{"an unknown journal.sync"};
}

intake::client_detail detail_of(config::client_detail detail) {
    switch (detail) {
    case config::client_detail::none: return intake::client_detail::none;
    case config::client_detail::truncated: return intake::client_detail::truncated;
    case config::client_detail::full: return intake::client_detail::full;
    }
    throw std::logic_error{"an unknown http.record_client"};
}

journal_options make_journal_options(const config::settings& settings) {
    journal_options options;
    options.directory = journal_directory(settings);
    options.segment_bytes = settings.journal.segment_bytes;
    options.max_bytes = settings.journal.max_bytes;
    options.min_free_bytes = settings.journal.min_free_bytes;
    options.sync = sync_of(settings.journal.sync);
    options.sync_interval = settings.journal.sync_interval;
    options.keep_unwritten = settings.tracker.ack == config::ack_mode::accepted;
    return options;
}

// Not while somebody waits for the sinks, nor where events are safe only once a sink has them.
bool may_linger(const config::settings& settings) {
    return settings.backlog.kind == config::backlog_kind::journal &&
           settings.tracker.ack != config::ack_mode::delivered;
}

std::size_t raised_file_limit() {
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1024;
    const auto before = limit.rlim_cur;
    limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, 1'048'576);
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0) return before;
    return limit.rlim_cur;
}

template <class Work>
auto with_log_file(Work work) {
    try {
        return work();
    } catch (const std::system_error& why) {
        throw std::runtime_error{
            std::string{"log.file: "} + why.what() + "; expected a file that can be written to"
        };
    }
}

} // namespace

http::options http_options(const config::http_settings& settings, base::byte_budget& bodies) {
    http::options options;
    options.max_head_bytes = settings.max_head_bytes;
    options.max_body_bytes = settings.max_body_bytes;
    options.bodies = &bodies;
    options.idle_timeout = settings.idle_timeout;
    options.head_timeout = settings.head_timeout;
    options.body_timeout = settings.body_timeout;
    options.min_body_rate = settings.min_body_rate;
    options.write_timeout = settings.write_timeout;
    return options;
}

std::shared_ptr<const http::proxy_rules> make_proxy_rules(const config::http_settings& settings) {
    const bool recorded = settings.record_client != config::client_detail::none;
    if (settings.trusted_proxies.empty() && !recorded) return nullptr;
    return std::make_shared<const http::proxy_rules>(http::proxy_rules{
        .trusted = http::trusted_proxies{settings.trusted_proxies}, .proxy_protocol = settings.proxy_protocol
    });
}

intake::event_reader_options make_reader_options(const config::settings& settings) {
    intake::event_reader_options options;
    options.default_source = settings.tracker.source;
    options.max_batch_events = settings.http.max_batch_events;
    options.max_event_bytes = settings.http.max_event_bytes;
    options.record_client = detail_of(settings.http.record_client);
    return options;
}

http::cors_policy make_cors_policy(const config::http_settings& settings) {
    return {settings.cors_origins};
}

std::vector<intake::key_options> make_keys(const config::settings& settings) {
    std::vector<intake::key_options> keys;
    for (const auto& one : settings.keys) {
        intake::key_options key;
        key.name = one.name;
        for (const auto& hash : one.sha256)
            key.hashes.push_back(base::sha256_from_hex(hash).value()); // checked with the configuration
        key.sources = one.sources;
        key.origins = one.origins;
        key.events_per_second = one.events_per_second;
        key.bytes_per_second = one.bytes_per_second;
        keys.push_back(std::move(key));
    }
    return keys;
}

request_rules make_request_rules(const config::settings& settings, base::byte_budget& bodies) {
    return {
        .limits = http_options(settings.http, bodies),
        .cors = make_cors_policy(settings.http),
        .reading = make_reader_options(settings),
        .decoding = {settings.http.max_decoded_bytes, settings.http.max_decoded_ratio, &bodies}
    };
}

void set_up_log(const config::log_settings& settings) {
    const bool json = settings.format == config::log_format::json;
    base::set_up_log(
        config::to_string(settings.level), json ? base::log_format::json : base::log_format::text
    );
}

base::descriptor open_log_file(const config::log_settings& settings) {
    if (settings.file.empty()) return base::descriptor{-1};
    return with_log_file([&] { return base::open_log_file(settings.file); });
}

void check_log_file(const config::log_settings& settings) {
    if (settings.file.empty()) return;
    with_log_file([&] {
        if (base::exists_or_can_be_made(settings.file, base::missing_directories::refused))
            static_cast<void>(base::open_log_file(settings.file));
    });
}

std::filesystem::path journal_directory(const config::settings& settings) {
    return std::filesystem::path{settings.data_dir} / "journal";
}

tracker_options make_tracker_options(const config::tracker_settings& settings) {
    tracker_options options;
    options.ack = ack_of(settings.ack);
    options.max_pending_events = settings.max_pending_events;
    options.max_pending_bytes = settings.max_pending_bytes;
    options.ack_timeout = settings.ack_timeout;
    options.retry = {settings.retry.min, settings.retry.max, settings.retry.max_age};
    return options;
}

std::unique_ptr<backlog> make_backlog(const config::settings& settings) {
    switch (settings.backlog.kind) {
    case config::backlog_kind::memory: return make_memory_backlog();
    case config::backlog_kind::journal:
        make_directory(settings.data_dir, "data_dir");
        return make_journal_backlog(make_journal_options(settings));
    }
    throw std::logic_error{"a backlog of an unknown kind"};
}

route make_route(const config::sink_settings& settings) {
    return {patterns{settings.types}, patterns{settings.sources}};
}

std::unique_ptr<sink> open_sink(const config::sink_settings& settings) {
    try {
        auto opened = make_sink(settings);
        opened->open();
        return opened;
    } catch (const std::exception& why) {
        throw std::runtime_error{"sink " + settings.name + ": " + why.what()};
    }
}

std::vector<sink_spec> make_sinks(const config::settings& settings, const dead_letter_box& dead_letters) {
    make_directory(settings.data_dir, "data_dir");
    std::vector<sink_spec> specs;
    for (const auto& one : settings.sinks) {
        sink_spec spec;
        spec.name = one.name;
        spec.kind = config::to_string(one.kind);
        spec.batch = {one.batch_events, one.batch_bytes};
        spec.linger = may_linger(settings) ? one.linger : std::chrono::milliseconds{0};
        spec.start = one.start == config::sink_start::newest ? sink_start::newest : sink_start::oldest;
        spec.wanted = make_route(one);
        spec.required = one.required;
        spec.when_full = one.on_full == config::when_full::skip ? when_full::skip : when_full::block;
        spec.dead_letters = dead_letters.of(one.name);
        spec.sink = open_sink(one);
        specs.push_back(std::move(spec));
    }
    return specs;
}

http::shared_tls_context make_tls(std::string_view table, const config::tls_settings& settings) {
    if (settings.certificate.empty()) return {};
    try {
        return std::make_shared<const http::tls_context>(settings.certificate, settings.key);
    } catch (const std::runtime_error& why) {
        throw std::runtime_error{std::string{table} + ": " + why.what()};
    }
}

std::vector<http::listening_socket> open_sockets(const std::string& address, http::passed_sockets& passed) {
    if (http::is_passed_address(address)) return passed.take(address);
    std::vector<http::listening_socket> one;
    one.push_back(http::listen_on(address));
    return one;
}

std::size_t io_threads(const config::http_settings& settings) {
    return settings.threads != 0 ? settings.threads : base::usable_processors();
}

std::size_t max_connections(const config::http_settings& settings) {
    const auto files = raised_file_limit();
    if (settings.max_connections != 0) return settings.max_connections;
    constexpr std::size_t ours = 32; // databases, files, epoll, and those of a client that is turned away
    return std::clamp<std::size_t>(std::min(files / 5 * 4, files - std::min(files, ours)), 1, 10'000);
}

} // namespace trackd::service
