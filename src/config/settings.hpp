// What can be configured, as plain structs with their defaults: each part of the daemon gets its own, never
// all. What each member means, its unit and its bounds are said once, in the table of options.cpp.
#pragma once

#include "base/sink_choices.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace trackd::config {

/// `tracker.ack`: what an acknowledgement promises. The tracker has its own enum, which this floor cannot
/// see.
enum class ack_mode { accepted, journaled, delivered };

enum class backlog_kind { memory, journal };

/// `journal.sync`: when an event counts as stored. The journal has its own enum, too.
enum class journal_sync { always, interval, never };

/// Where a sink begins that the journal does not know.
enum class sink_start { oldest, newest };
enum class when_full { block, skip };

enum class sink_kind { sqlite, file, log, null, postgres, kafka, http };

using base::file_compression;
using base::http_compression;
using base::http_format;
using base::kafka_format;
using base::kafka_key;

/// `http.record_client`: how much of its client each event is told. The intake has its own enum.
enum class client_detail { none, truncated, full };

enum class kafka_compression { none, gzip, snappy, lz4, zstd };

enum class log_level { trace, debug, info, warn, error, off };

enum class log_format { text, json };

/// The word that stands for the value in a configuration.
[[nodiscard]] std::string_view to_string(ack_mode value) noexcept;
[[nodiscard]] std::string_view to_string(backlog_kind value) noexcept;
[[nodiscard]] std::string_view to_string(journal_sync value) noexcept;
[[nodiscard]] std::string_view to_string(sink_kind value) noexcept;
[[nodiscard]] std::string_view to_string(sink_start value) noexcept;
[[nodiscard]] std::string_view to_string(file_compression value) noexcept;
[[nodiscard]] std::string_view to_string(http_format value) noexcept;
[[nodiscard]] std::string_view to_string(http_compression value) noexcept;
[[nodiscard]] std::string_view to_string(client_detail value) noexcept;
[[nodiscard]] std::string_view to_string(when_full value) noexcept;
[[nodiscard]] std::string_view to_string(kafka_key value) noexcept;
[[nodiscard]] std::string_view to_string(kafka_format value) noexcept;
[[nodiscard]] std::string_view to_string(kafka_compression value) noexcept;
[[nodiscard]] std::string_view to_string(log_level value) noexcept;
[[nodiscard]] std::string_view to_string(log_format value) noexcept;

/// @return nothing if no level is called so
[[nodiscard]] std::optional<log_level> log_level_named(std::string_view word) noexcept;

/// Any number of strings, each once.
using strings = std::vector<std::string>;

/// Settings of somebody else's, by their names.
using named_strings = std::map<std::string, std::string, std::less<>>;

/// Where a listener listens: at least one address, each `IPv4:PORT` or `[IPv6]:PORT`, numeric, port 0 to
/// 65535, `unix:/PATH`, `systemd` or `systemd:NAME`. Loading has already written `localhost` as 127.0.0.1, and `*`
/// or nothing as `[::]`, which means all interfaces, IPv4 included.
using addresses = strings;

/// Both are set, or neither: then a listener speaks no TLS.
struct tls_settings {
    std::string certificate;
    std::string key;

    bool operator==(const tls_settings&) const = default;
};

struct http_settings {
    addresses listen{"127.0.0.1:8080"};
    std::size_t threads = 0; ///< 0: one a processor that we may use
    std::size_t max_body_bytes = 4 * 1024 * 1024;
    std::size_t max_decoded_bytes = 10 * 1024 * 1024; ///< once its content coding was taken off
    std::size_t max_decoded_ratio = 200;              ///< to what came; 0: any
    std::size_t max_bodies_bytes =
        128 * 1024 * 1024; ///< all that are being read; at least one of each of the two
    std::size_t max_batch_events = 10'000;
    std::size_t max_event_bytes = 1024 * 1024; ///< data and attributes
    std::size_t max_head_bytes = 16 * 1024;
    std::size_t max_connections = 0;             ///< 0: as many as the limit on open files leaves room for
    std::size_t max_connections_per_address = 0; ///< 0: as many as in all
    strings trusted_proxies;                     ///< each an address, a network or `unix`; empty: none
    bool proxy_protocol = false;                 ///< a connection of a trusted proxy begins with its header
    client_detail record_client = client_detail::none;
    std::chrono::milliseconds head_timeout{10'000};
    std::chrono::milliseconds body_timeout{30'000};
    std::size_t min_body_rate = 500; ///< bytes a second; 0: any
    std::chrono::milliseconds idle_timeout{75'000};
    std::chrono::milliseconds write_timeout{30'000};
    strings cors_origins{"*"}; ///< of web pages that may read answers; `*`: any
    tls_settings tls;

    bool operator==(const http_settings&) const = default;
};

struct admin_settings {
    addresses listen{"127.0.0.1:8081"};
    std::string token; ///< empty: none is asked for, which only those may do who listen on loopback or a file
    tls_settings tls;

    bool operator==(const admin_settings&) const = default;
};

struct retry_settings {
    std::chrono::milliseconds min{100};
    std::chrono::milliseconds max{30'000};
    std::chrono::milliseconds max_age{0}; ///< 0: for ever

    bool operator==(const retry_settings&) const = default;
};

struct tracker_settings {
    ack_mode ack = ack_mode::journaled;
    std::size_t max_pending_events = 1'000'000;
    std::size_t max_pending_bytes = 256U * 1024U * 1024U;
    std::chrono::milliseconds ack_timeout{30'000};
    std::string source = "trackd"; ///< 1 to 1024 bytes
    retry_settings retry;

    bool operator==(const tracker_settings&) const = default;
};

struct backlog_settings {
    backlog_kind kind = backlog_kind::journal;

    bool operator==(const backlog_settings&) const = default;
};

/// Of the backlog on disk: means something with `backlog_kind::journal` only.
struct journal_settings {
    std::size_t segment_bytes = std::size_t{64} << 20U;
    std::size_t max_bytes = std::size_t{8} << 30U;        ///< at least two segments
    std::size_t min_free_bytes = std::size_t{256} << 20U; ///< 0: the disk may be filled up
    journal_sync sync = journal_sync::always;             ///< else only with `ack_mode::accepted`
    std::chrono::milliseconds sync_interval{1'000};

    bool operator==(const journal_settings&) const = default;
};

struct dead_letter_settings {
    std::size_t max_bytes = std::size_t{1} << 30U; ///< of one sink

    bool operator==(const dead_letter_settings&) const = default;
};

struct sqlite_sink_settings {
    std::string path = "{data_dir}/events.db"; ///< loading puts `data_dir` in
    std::chrono::milliseconds keep{0};         ///< 0: for ever
    bool indexes = true;

    bool operator==(const sqlite_sink_settings&) const = default;
};

struct file_sink_settings {
    std::string path = "{data_dir}/events.jsonl";             ///< loading puts `data_dir` in
    std::size_t rotate_bytes = 256U * 1024U * 1024U;          ///< 0: never because of size
    std::chrono::milliseconds rotate_every{24 * 60 * 60'000}; ///< 0: never because of time
    std::size_t keep_files = 0;                               ///< 0: all
    bool sync = true;
    file_compression compress = file_compression::none;

    bool operator==(const file_sink_settings&) const = default;
};

struct log_sink_settings {
    log_level level = log_level::info;
    std::chrono::milliseconds simulate_latency{0}; ///< of each event

    bool operator==(const log_sink_settings&) const = default;
};

struct postgres_sink_settings {
    std::string connection; ///< as libpq takes it, with a password perhaps
    std::string table = "events";
    bool create_table = false;
    std::chrono::milliseconds connect_timeout{10'000};
    std::chrono::milliseconds statement_timeout{60'000};

    bool operator==(const postgres_sink_settings&) const = default;
};

struct kafka_sink_settings {
    strings brokers{"localhost:9092"};
    std::string topic = "events"; ///< may hold `{type}` and `{source}`
    kafka_key key = kafka_key::source;
    kafka_format format = kafka_format::binary;
    kafka_compression compression = kafka_compression::none;
    std::chrono::milliseconds timeout{30'000};
    named_strings properties; ///< of librdkafka

    bool operator==(const kafka_sink_settings&) const = default;
};

struct http_sink_settings {
    std::string url; ///< with a secret perhaps
    http_format format = http_format::ndjson;
    strings headers; ///< `Name: value`, with secrets perhaps
    http_compression compression = http_compression::none;
    std::chrono::milliseconds timeout{30'000};         ///< of a whole request
    std::chrono::milliseconds connect_timeout{10'000}; ///< of which so much until it is connected
    std::string ca_file;                               ///< empty: the system's authorities
    std::string client_certificate;                    ///< empty: none
    std::string client_key;
    bool verify = true; ///< the server's certificate
    strings delivered_statuses{"2xx"};
    strings retried_statuses{"408", "425", "429"}; ///< and all that are in none of the three
    strings refused_statuses{"400", "409", "413", "422"};

    bool operator==(const http_sink_settings&) const = default;
};

/// One `[[sinks]]`. Of the members named after kinds, only the one that `kind` names means something; the
/// others keep their defaults.
struct sink_settings {
    std::string name;
    sink_kind kind = sink_kind::null;
    std::size_t batch_events = 2000;
    std::size_t batch_bytes = 4 * 1024 * 1024;
    std::chrono::milliseconds linger{20}; ///< with a journal, and unless `ack_mode::delivered`
    sink_start start = sink_start::oldest;
    strings types;                        ///< patterns of the events that it gets; empty: all
    strings sources;                      ///< the same
    bool required = true;                 ///< `ack_mode::delivered` waits for it
    when_full on_full = when_full::block; ///< `skip` only where it is not required
    sqlite_sink_settings sqlite;
    file_sink_settings file;
    log_sink_settings log;
    postgres_sink_settings postgres;
    kafka_sink_settings kafka;
    http_sink_settings http;

    bool operator==(const sink_settings&) const = default;
};

/// One `[[keys]]`: who may send events, which, from where, and how many.
struct key_settings {
    std::string name;
    strings sha256;                    ///< one or more, each 64 hexadecimal digits in lower case
    strings sources;                   ///< that its events may name; empty: any
    strings origins;                   ///< of the web pages that may use it, `https://host:port`; empty: any
    std::size_t events_per_second = 0; ///< 0: any number
    std::size_t bytes_per_second = 0;  ///< 0: any number

    bool operator==(const key_settings&) const = default;
};

/// What makes the daemon say that it is not ready, beside its own state.
struct readiness_settings {
    strings require_sinks; ///< names of sinks
    std::chrono::milliseconds sink_grace{10'000};

    bool operator==(const readiness_settings&) const = default;
};

struct shutdown_settings {
    std::chrono::milliseconds lame_duck{0};
    std::chrono::milliseconds request_timeout{3'000};
    std::chrono::milliseconds idle_timeout{2'000};
    std::chrono::milliseconds drain_timeout{5'000};

    bool operator==(const shutdown_settings&) const = default;
};

struct log_settings {
    log_level level = log_level::info;
    log_format format = log_format::text;
    std::string file; ///< empty: standard error

    bool operator==(const log_settings&) const = default;
};

struct settings {
    http_settings http;
    admin_settings admin;
    std::string data_dir = "./data";
    tracker_settings tracker;
    backlog_settings backlog;
    journal_settings journal;
    dead_letter_settings dead_letters;
    std::vector<sink_settings> sinks; ///< never empty once loaded; names are unique
    std::vector<key_settings> keys;   ///< none: everybody may send events; names and hashes are unique
    bool says_keys = false;           ///< there was a list of them, if an empty one
    readiness_settings readiness;
    shutdown_settings shutdown;
    log_settings log;

    bool operator==(const settings&) const = default;
};

} // namespace trackd::config
