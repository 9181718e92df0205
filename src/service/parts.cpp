#include "service/parts.hpp"

#include "base/log.hpp"
#include "base/processors.hpp"
#include "base/sha256.hpp"
#include "config/load.hpp"
#include "config/options.hpp"
#include "sinks/file.hpp"
#ifdef TRACKD_KAFKA
#include "sinks/kafka.hpp"
#endif
#include "sinks/log.hpp"
#include "sinks/null.hpp"
#include "sinks/sqlite.hpp"

#include <trackd/journal.hpp>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <stdexcept>
#include <sys/resource.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace trackd::service {

namespace {

#ifdef TRACKD_KAFKA
sinks::kafka_key key_of(config::kafka_key key) {
    switch (key) {
    case config::kafka_key::source: return sinks::kafka_key::source;
    case config::kafka_key::subject: return sinks::kafka_key::subject;
    case config::kafka_key::id: return sinks::kafka_key::id;
    case config::kafka_key::none: return sinks::kafka_key::none;
    }
    throw std::logic_error{"an unknown key of a kafka sink"};
}

sinks::kafka_format format_of(config::kafka_format format) {
    switch (format) {
    case config::kafka_format::binary: return sinks::kafka_format::binary;
    case config::kafka_format::structured: return sinks::kafka_format::structured;
    }
    throw std::logic_error{"an unknown format of a kafka sink"};
}

std::unique_ptr<sink> make_kafka_sink(const config::kafka_sink_settings& settings) {
    sinks::kafka_options options;
    options.brokers = settings.brokers;
    options.topic = settings.topic;
    options.key = key_of(settings.key);
    options.format = format_of(settings.format);
    options.compression = config::to_string(settings.compression);
    options.timeout = settings.timeout;
    options.properties = settings.properties;
    return sinks::make_kafka_sink(std::move(options));
}
#endif

bool is_built_in(config::sink_kind kind) {
#ifndef TRACKD_KAFKA
    if (kind == config::sink_kind::kafka) return false;
#endif
    static_cast<void>(kind);
    return true;
}

std::unique_ptr<sink> make_sink(const config::sink_settings& settings) {
    if (!is_built_in(settings.kind)) {
        throw std::runtime_error{
            "kind \"" + std::string{config::to_string(settings.kind)} +
            "\" was left out of this build; built in are " + built_in_sinks()
        };
    }
    switch (settings.kind) {
    case config::sink_kind::sqlite: {
        sinks::sqlite_options options;
        options.path = settings.sqlite.path;
        return sinks::make_sqlite_sink(std::move(options));
    }
    case config::sink_kind::file: {
        sinks::file_options options;
        options.path = settings.file.path;
        options.rotate_bytes = settings.file.rotate_bytes;
        options.rotate_every = settings.file.rotate_every;
        options.keep_files = settings.file.keep_files;
        options.sync = settings.file.sync;
        return sinks::make_file_sink(std::move(options));
    }
    case config::sink_kind::log: {
        sinks::log_options options;
        options.level = spdlog::level::from_str(std::string{config::to_string(settings.log.level)});
        options.simulate_latency = settings.log.simulate_latency;
        return sinks::make_log_sink(options, base::log());
    }
    case config::sink_kind::null: return sinks::make_null_sink();
    case config::sink_kind::kafka:
#ifdef TRACKD_KAFKA
        return make_kafka_sink(settings.kafka);
#else
        break;
#endif
    }
    throw std::logic_error{"a sink of an unknown kind"};
}

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

void make_data_dir(const std::string& path) {
    if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST)
        throw std::runtime_error{
            "data_dir " + path + ": cannot be made: " + std::generic_category().message(errno)
        };
    if (!std::filesystem::is_directory(path))
        throw std::runtime_error{"data_dir " + path + ": is not a directory; a directory was expected"};
    if (::access(path.c_str(), W_OK | X_OK) != 0)
        throw std::runtime_error{
            "data_dir " + path + ": cannot be written to: " + std::generic_category().message(errno)
        };
}

std::size_t raised_file_limit() {
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1024;
    const auto before = limit.rlim_cur;
    limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, 1'048'576);
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0) return before;
    return limit.rlim_cur;
}

} // namespace

http::options http_options(const config::http_settings& settings) {
    http::options options;
    options.max_head_bytes = settings.max_head_bytes;
    options.max_body_bytes = settings.max_body_bytes;
    options.idle_timeout = settings.idle_timeout;
    options.head_timeout = settings.head_timeout;
    options.body_timeout = settings.body_timeout;
    options.min_body_rate = settings.min_body_rate;
    options.write_timeout = settings.write_timeout;
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
        key.hash = base::sha256_from_hex(one.sha256).value(); // which the configuration's check has seen to
        key.sources = one.sources;
        key.origins = one.origins;
        key.events_per_second = one.events_per_second;
        key.bytes_per_second = one.bytes_per_second;
        keys.push_back(std::move(key));
    }
    return keys;
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
    options.retry = {settings.retry.min, settings.retry.max};
    return options;
}

std::unique_ptr<backlog> make_backlog(const config::settings& settings) {
    switch (settings.backlog.kind) {
    case config::backlog_kind::memory: return make_memory_backlog();
    case config::backlog_kind::journal:
        make_data_dir(settings.data_dir);
        return make_journal_backlog(make_journal_options(settings));
    }
    throw std::logic_error{"a backlog of an unknown kind"};
}

std::string built_in_sinks() {
    std::vector<std::string_view> names;
    for (const auto kind : config::sink_kinds()) {
        if (is_built_in(kind)) names.push_back(config::to_string(kind));
    }
    std::ranges::sort(names);
    std::string all;
    for (const auto name : names)
        all.append(all.empty() ? "" : ", ").append(name);
    return all;
}

std::vector<sink_spec> make_sinks(const config::settings& settings) {
    make_data_dir(settings.data_dir);
    std::vector<sink_spec> specs;
    for (const auto& one : settings.sinks) {
        sink_spec spec;
        spec.name = one.name;
        spec.kind = config::to_string(one.kind);
        spec.batch = {one.batch_events, one.batch_bytes};
        spec.linger = may_linger(settings) ? one.linger : std::chrono::milliseconds{0};
        spec.start = one.start == config::sink_start::newest ? sink_start::newest : sink_start::oldest;
        try {
            spec.sink = make_sink(one);
            spec.sink->open();
        } catch (const std::exception& why) {
            throw std::runtime_error{"sink " + one.name + ": " + why.what()};
        }
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

void check_files(const config::settings& settings) {
    std::vector<std::string> wrong;
    const auto check = [&](std::string_view table, const config::tls_settings& tls) {
        try {
            static_cast<void>(make_tls(table, tls));
        } catch (const std::runtime_error& why) {
            wrong.emplace_back(why.what());
        }
    };
    check("http.tls", settings.http.tls);
    check("admin.tls", settings.admin.tls);
    if (!wrong.empty()) throw config::error{std::move(wrong)};
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
