#include "sinks/postgres_rows.hpp"

#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <optional>
#include <type_traits>

namespace trackd::sinks {

namespace {

constexpr std::size_t longest_jsonb = std::size_t{16} << 20U;
constexpr std::size_t longest_number = 5000;
constexpr int largest_exponent = 5000;

template <class Number>
void append_number(std::string& out, Number number) {
    const auto bits = static_cast<std::make_unsigned_t<Number>>(number);
    std::array<char, sizeof(Number)> bytes{};
    for (std::size_t i = 0; i < bytes.size(); ++i)
        bytes[i] = static_cast<char>(bits >> (8 * (bytes.size() - 1 - i)));
    out.append(bytes.data(), bytes.size());
}

void append_size(std::string& out, std::size_t size) {
    append_number(out, static_cast<std::int32_t>(size));
}

void append_null(std::string& out) {
    append_number(out, std::int32_t{-1});
}

void append_bytes(std::string& out, std::string_view bytes) {
    append_size(out, bytes.size());
    out += bytes;
}

void append_text_or_null(std::string& out, std::string_view text) {
    text.empty() ? append_null(out) : append_bytes(out, text);
}

void append_time(std::string& out, wall_time time) {
    constexpr wall_time epoch = std::chrono::sys_days{std::chrono::year{2000} / 1 / 1};
    append_size(out, sizeof(std::int64_t));
    append_number(out, static_cast<std::int64_t>((time - epoch).count()));
}

void append_jsonb(std::string& out, std::string_view json) {
    append_size(out, json.size() + 1);
    out += '\1'; // the version of the format
    out += json;
}

bool is_text(std::string_view bytes) {
    return bytes.find('\0') == bytes.npos && simdjson::validate_utf8(bytes.data(), bytes.size());
}

enum class data_column { none, json, text, bytes };

data_column column_for(const event_view& event) {
    switch (event.kind) {
    case data_kind::none: return data_column::none;
    case data_kind::json: return fits_jsonb(event.data) ? data_column::json : data_column::text;
    case data_kind::text:
    case data_kind::binary: break;
    }
    return is_text(event.data) ? data_column::text : data_column::bytes;
}

/// @param column gives the string that the value of the column with this number is appended to
template <class Column>
void append_row(const event_view& event, Column column) {
    append_bytes(column(0), event.id);
    append_bytes(column(1), event.source);
    append_bytes(column(2), event.type);
    append_time(column(3), event.time);
    append_time(column(4), event.received_at);
    append_text_or_null(column(5), event.subject);
    append_text_or_null(column(6), event.datacontenttype);
    const auto data = column_for(event);
    data == data_column::json ? append_jsonb(column(7), event.data) : append_null(column(7));
    data == data_column::text ? append_bytes(column(8), event.data) : append_null(column(8));
    data == data_column::bytes ? append_bytes(column(9), event.data) : append_null(column(9));
    event.extensions.empty() ? append_null(column(10)) : append_jsonb(column(10), event.extensions);
}

std::optional<unsigned> unit_of(std::string_view escape) {
    unsigned unit = 0;
    if (!escape.starts_with("\\u") || escape.size() < 6) return std::nullopt;
    const auto [end, failure] = std::from_chars(escape.data() + 2, escape.data() + 6, unit, 16);
    return failure == std::errc{} && end == escape.data() + 6 ? std::optional{unit} : std::nullopt;
}

/// How much of a text that begins with a backslash is one escape; 0: jsonb does not take it.
std::size_t escape_length(std::string_view text) {
    const auto unit = unit_of(text);
    if (!unit) return 2; // \n, \", or something that the server will find wrong
    if (*unit == 0) return 0;
    if (*unit < 0xD800 || *unit > 0xDFFF) return 6;
    const auto low = unit_of(text.substr(6));
    return *unit < 0xDC00 && low && *low >= 0xDC00 && *low <= 0xDFFF ? 12 : 0;
}

/// How much of a text that begins with a quote is one string; 0: jsonb does not take it.
std::size_t string_length(std::string_view text) {
    std::size_t at = 1;
    while (at < text.size() && text[at] != '"') {
        const auto step = text[at] == '\\' ? escape_length(text.substr(at)) : 1;
        if (step == 0) return 0;
        at += step;
    }
    return std::min(at + 1, text.size());
}

bool fits_numeric(std::string_view number) {
    if (number.size() > longest_number) return false;
    const auto mark = number.find_first_of("eE");
    if (mark == number.npos) return true;
    auto exponent = number.substr(mark + 1);
    if (exponent.starts_with('+')) exponent.remove_prefix(1);
    int value = 0;
    const auto failure = std::from_chars(exponent.data(), exponent.data() + exponent.size(), value).ec;
    return failure == std::errc{} && value >= -largest_exponent && value <= largest_exponent;
}

bool begins_number(char c) {
    return (c >= '0' && c <= '9') || c == '-';
}

} // namespace

bool fits_jsonb(std::string_view json) noexcept {
    if (json.size() > longest_jsonb) return false;
    while (!json.empty()) {
        std::size_t step = 1;
        if (json.front() == '"') {
            step = string_length(json);
            if (step == 0) return false;
        } else if (begins_number(json.front())) {
            step = std::min(json.find_first_not_of("0123456789+-.eE"), json.size());
            if (!fits_numeric(json.substr(0, step))) return false;
        }
        json.remove_prefix(step);
    }
    return true;
}

std::string copy_stream(std::span<const event_view> events) {
    constexpr std::size_t row_overhead =
        256; // more than that of most; another attribute or two find room in it
    std::size_t bytes = row_overhead;
    for (const auto& event : events)
        bytes += event.data.size() + row_overhead;
    std::string out;
    out.reserve(bytes);
    out.append("PGCOPY\n\xFF\r\n\0", 11);
    append_number(out, std::int32_t{0}); // no flags
    append_number(out, std::int32_t{0}); // nor anything else in the header
    for (const auto& event : events) {
        append_number(out, static_cast<std::int16_t>(postgres_columns.size()));
        append_row(event, [&](std::size_t) -> std::string& { return out; });
    }
    append_number(out, std::int16_t{-1}); // the end
    return out;
}

postgres_arrays column_arrays(std::span<const event_view> events) {
    postgres_arrays arrays;
    for (std::size_t i = 0; i < arrays.size(); ++i) {
        append_number(arrays[i], std::int32_t{1}); // dimension
        append_number(arrays[i], std::int32_t{1}); // there may be NULLs
        append_number(arrays[i], postgres_columns[i].type);
        append_size(arrays[i], events.size());
        append_number(arrays[i], std::int32_t{1}); // the first one's index
    }
    for (const auto& event : events)
        append_row(event, [&](std::size_t column) -> std::string& { return arrays[column]; });
    return arrays;
}

} // namespace trackd::sinks
