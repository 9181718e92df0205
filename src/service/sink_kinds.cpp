#include "service/sink_kinds.hpp"

#include "base/log.hpp"
#include "config/options.hpp"
#include "service/sink_modules.hpp"
#include "sinks/file.hpp"
#include "sinks/http.hpp"
#include "sinks/kafka.hpp"
#include "sinks/log.hpp"
#include "sinks/null.hpp"
#include "sinks/postgres.hpp"
#include "sinks/sqlite.hpp"

#include <algorithm>
#include <stdexcept>
#include <string_view>
#include <vector>

namespace trackd::service {

namespace {

bool has_module(config::sink_kind kind) {
    return kind == config::sink_kind::postgres || kind == config::sink_kind::kafka ||
           kind == config::sink_kind::http;
}

std::unique_ptr<sink> make(const config::sqlite_sink_settings& settings) {
    sinks::sqlite_options options;
    options.path = settings.path;
    options.keep = settings.keep;
    options.indexes = settings.indexes;
    return sinks::make_sqlite_sink(std::move(options));
}

std::unique_ptr<sink> make(const config::file_sink_settings& settings) {
    sinks::file_options options;
    options.path = settings.path;
    options.rotate_bytes = settings.rotate_bytes;
    options.rotate_every = settings.rotate_every;
    options.keep_files = settings.keep_files;
    options.sync = settings.sync;
    options.compression = settings.compress;
    return sinks::make_file_sink(std::move(options));
}

std::unique_ptr<sink> make(const config::log_sink_settings& settings) {
    sinks::log_options options;
    options.level = spdlog::level::from_str(std::string{config::to_string(settings.level)});
    options.simulate_latency = settings.simulate_latency;
    return sinks::make_log_sink(options, base::event_log());
}

std::unique_ptr<sink> make(const config::postgres_sink_settings& settings) {
    sinks::postgres_options options;
    options.connection = settings.connection;
    options.table = settings.table;
    options.create_table = settings.create_table;
    options.connect_timeout = settings.connect_timeout;
    options.statement_timeout = settings.statement_timeout;
    return module_of<sinks::postgres_options>("postgres").make(std::move(options), base::log());
}

std::unique_ptr<sink> make(const config::kafka_sink_settings& settings) {
    sinks::kafka_options options;
    options.brokers = settings.brokers;
    options.topic = settings.topic;
    options.key = settings.key;
    options.format = settings.format;
    options.compression = config::to_string(settings.compression);
    options.timeout = settings.timeout;
    options.properties = settings.properties;
    return module_of<sinks::kafka_options>("kafka").make(std::move(options), base::log());
}

std::unique_ptr<sink> make(const config::http_sink_settings& settings) {
    sinks::http_options options;
    options.url = settings.url;
    options.format = settings.format;
    options.headers = settings.headers;
    options.compression = settings.compression;
    options.timeout = settings.timeout;
    options.connect_timeout = settings.connect_timeout;
    options.ca_file = settings.ca_file;
    options.client_certificate = settings.client_certificate;
    options.client_key = settings.client_key;
    options.verify = settings.verify;
    options.statuses = {settings.delivered_statuses, settings.retried_statuses, settings.refused_statuses};
    return module_of<sinks::http_options>("http").make(std::move(options), base::log());
}

} // namespace

std::unique_ptr<sink> make_sink(const config::sink_settings& settings) {
    switch (settings.kind) {
    case config::sink_kind::sqlite: return make(settings.sqlite);
    case config::sink_kind::file: return make(settings.file);
    case config::sink_kind::log: return make(settings.log);
    case config::sink_kind::null: return sinks::make_null_sink();
    case config::sink_kind::postgres: return make(settings.postgres);
    case config::sink_kind::kafka: return make(settings.kafka);
    case config::sink_kind::http: return make(settings.http);
    }
    throw std::logic_error{"a sink of an unknown kind"};
}

std::string available_sinks() {
    std::vector<std::string_view> names;
    for (const auto kind : config::sink_kinds()) {
        const auto name = config::to_string(kind);
        if (!has_module(kind) || has_module_file(name)) names.push_back(name);
    }
    std::ranges::sort(names);
    std::string all;
    for (const auto name : names)
        all.append(all.empty() ? "" : ", ").append(name);
    return all;
}

} // namespace trackd::service
