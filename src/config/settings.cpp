// The words for the enumerations of settings.hpp.
#include "config/settings.hpp"

#include "config/words.hpp"

#include <algorithm>

namespace trackd::config {
namespace {

template <class Enum>
std::string_view word_for(Enum value) noexcept {
    return words<Enum>[static_cast<std::size_t>(value)];
}

} // namespace

std::string_view to_string(ack_mode value) noexcept {
    return word_for(value);
}

std::string_view to_string(backlog_kind value) noexcept {
    return word_for(value);
}

std::string_view to_string(journal_sync value) noexcept {
    return word_for(value);
}

std::string_view to_string(sink_kind value) noexcept {
    return word_for(value);
}

std::string_view to_string(sink_start value) noexcept {
    return word_for(value);
}

std::string_view to_string(when_full value) noexcept {
    return word_for(value);
}

std::string_view to_string(file_compression value) noexcept {
    return word_for(value);
}

std::string_view to_string(http_format value) noexcept {
    return word_for(value);
}

std::string_view to_string(http_compression value) noexcept {
    return word_for(value);
}

std::string_view to_string(client_detail value) noexcept {
    return word_for(value);
}

std::string_view to_string(kafka_key value) noexcept {
    return word_for(value);
}

std::string_view to_string(kafka_format value) noexcept {
    return word_for(value);
}

std::string_view to_string(kafka_compression value) noexcept {
    return word_for(value);
}

std::string_view to_string(log_level value) noexcept {
    return word_for(value);
}

std::string_view to_string(log_format value) noexcept {
    return word_for(value);
}

std::optional<log_level> log_level_named(std::string_view word) noexcept {
    const auto found = std::ranges::find(words<log_level>, word);
    if (found == words<log_level>.end()) return std::nullopt;
    return static_cast<log_level>(found - words<log_level>.begin());
}

} // namespace trackd::config
