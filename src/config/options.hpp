// The table of all options: the one place that says what can be configured, from which reading, checking,
// writing and the documents come.
#pragma once

#include "config/settings.hpp"

#include <chrono>
#include <cstdint>
#include <span>
#include <string_view>
#include <variant>

namespace trackd::config {

/// Where an option's value lives, inside a settings object that outlives this.
using slot = std::variant<
    bool*, std::size_t*, std::chrono::milliseconds*, std::string*, strings*, ack_mode*, backlog_kind*,
    journal_sync*, sink_kind*, sink_start*, when_full*, kafka_key*, kafka_format*, kafka_compression*,
    file_compression*, http_format*, http_compression*, named_strings*, client_detail*, log_level*,
    log_format*>;

/// How an option's value is written, and what `least` and `most` of it count.
enum class form {
    flag,         ///< true or false
    count,        ///< a whole number
    bytes,        ///< a whole number, or a string such as "64MiB"
    duration,     ///< a string such as "5s"; counted in milliseconds
    choice,       ///< one of a few words
    text,         ///< a string; counted in bytes
    secret,       ///< the same, and never shown
    name,         ///< letters, digits, - and _; counted in bytes
    path,         ///< a string; counted in bytes
    address_list, ///< one string or several
    text_list,    ///< one string or several
    secret_list,  ///< the same, and never shown
    networks,     ///< one string or several, each an address, a network or `unix`
    web_origins,  ///< one string or several, each `https://host:port`, or `*`
    statuses,     ///< one string or several, each a status of HTTP such as `404`, or a class such as `4xx`
    sha256,       ///< one string or several, each of 64 hexadecimal digits
    text_map,     ///< a table of strings, whole numbers and flags; counted in entries
};

/// What a running daemon needs to take up another value.
enum class changed_by {
    restart,
    reload, ///< SIGHUP, or `trackd reload`
};

/// One row of the table.
template <class Owner>
struct option {
    std::string_view key; ///< of the whole, or within one `[[sinks]]` or `[[keys]]`
    slot (*in)(Owner&);
    form written;
    std::int64_t least;
    std::int64_t most;
    std::string_view sentence;                     ///< for the documents
    changed_by takes_effect = changed_by::restart; ///< all else is refused while it runs
    std::string_view note = {};                    ///< for the error when it is set to something impossible
};

/// All but those of sinks and keys, in the order of the documents: those without a table first, tables together.
[[nodiscard]] std::span<const option<settings>> options() noexcept;

/// What every sink has.
[[nodiscard]] std::span<const option<sink_settings>> sink_options() noexcept;

/// What only sinks of this kind have.
[[nodiscard]] std::span<const option<sink_settings>> sink_options(sink_kind kind) noexcept;

[[nodiscard]] std::span<const sink_kind> sink_kinds() noexcept;

/// What every `[[keys]]` has.
[[nodiscard]] std::span<const option<key_settings>> key_options() noexcept;

/// @return nothing if there is no such option
template <class Owner>
[[nodiscard]] const option<Owner>* find(std::span<const option<Owner>> in, std::string_view key) noexcept {
    for (const auto& option : in) {
        if (option.key == key) return &option;
    }
    return nullptr;
}

/// The key of the option in a sink of any kind.
/// @return nothing if no kind has it
[[nodiscard]] const option<sink_settings>* find_sink_option(std::string_view key) noexcept;

} // namespace trackd::config
