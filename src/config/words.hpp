// The words that stand for the values of the enumerations, in the order of the values.
#pragma once

#include "config/settings.hpp"

#include <array>
#include <string_view>

namespace trackd::config {

template <class Enum>
inline constexpr std::array<std::string_view, 0> words;

template <>
inline constexpr std::array<std::string_view, 3> words<ack_mode>{"accepted", "journaled", "delivered"};

template <>
inline constexpr std::array<std::string_view, 2> words<backlog_kind>{"memory", "journal"};

template <>
inline constexpr std::array<std::string_view, 3> words<journal_sync>{"always", "interval", "never"};

template <>
inline constexpr std::array<std::string_view, 7> words<sink_kind>{"sqlite",   "file",  "log", "null",
                                                                  "postgres", "kafka", "http"};

template <>
inline constexpr std::array<std::string_view, 2> words<file_compression>{"none", "zstd"};

template <>
inline constexpr std::array<std::string_view, 3> words<http_format>{"ndjson", "json", "cloudevents"};

template <>
inline constexpr std::array<std::string_view, 3> words<http_compression>{"none", "gzip", "zstd"};

template <>
inline constexpr std::array<std::string_view, 2> words<sink_start>{"oldest", "newest"};

template <>
inline constexpr std::array<std::string_view, 2> words<when_full>{"block", "skip"};

template <>
inline constexpr std::array<std::string_view, 3> words<client_detail>{"none", "truncated", "full"};

template <>
inline constexpr std::array<std::string_view, 4> words<kafka_key>{"source", "subject", "id", "none"};

template <>
inline constexpr std::array<std::string_view, 2> words<kafka_format>{"binary", "structured"};

template <>
inline constexpr std::array<std::string_view, 5> words<kafka_compression>{
    "none", "gzip", "snappy", "lz4", "zstd"
};

template <>
inline constexpr std::array<std::string_view, 6> words<log_level>{"trace", "debug", "info",
                                                                  "warn",  "error", "off"};

template <>
inline constexpr std::array<std::string_view, 2> words<log_format>{"text", "json"};

} // namespace trackd::config
