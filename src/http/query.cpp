#include "http/query.hpp"

#include "base/json_text.hpp"

#include <algorithm>
#include <charconv>
#include <system_error>

namespace trackd::http {

namespace {

// The byte that two hexadecimal digits stand for.
std::optional<char> decode_byte(std::string_view digits) noexcept {
    unsigned char byte = 0;
    const auto* end = digits.data() + digits.size();
    const auto [stopped, failure] = std::from_chars(digits.data(), end, byte, 16);
    if (digits.size() != 2 || failure != std::errc{} || stopped != end) return std::nullopt;
    return static_cast<char>(byte);
}

} // namespace

std::optional<std::string> decode_percent(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            out += text[i];
            continue;
        }
        const auto byte = decode_byte(text.substr(i + 1, 2));
        if (!byte) return std::nullopt;
        out += *byte;
        i += 2;
    }
    return out;
}

std::string decode_escapes(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto byte = text[i] == '%' ? decode_byte(text.substr(i + 1, 2)) : std::nullopt;
        out += byte ? *byte : text[i];
        if (byte) i += 2;
    }
    return out;
}

std::string decode_form(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        const auto plain = text.substr(0, text.find_first_of("+%"));
        out += plain;
        text.remove_prefix(plain.size());
        if (text.empty()) break;
        const auto encoded = text.substr(0, text.front() == '%' ? 3 : 1);
        const auto decoded = text.front() == '%' ? decode_percent(encoded) : std::string(1, ' ');
        out += decoded ? *decoded : "%";
        text.remove_prefix(decoded ? encoded.size() : 1);
    }
    return out;
}

std::pair<std::string_view, std::string_view> take_parameter(std::string_view& query) noexcept {
    const auto parameter = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(parameter.size() + 1, query.size()));
    const auto name = parameter.substr(0, parameter.find('='));
    return {name, parameter.substr(std::min(name.size() + 1, parameter.size()))};
}

std::vector<query_parameter> parse_query(std::string_view query) {
    std::vector<query_parameter> all;
    while (!query.empty()) {
        const auto [name, value] = take_parameter(query);
        if (!name.empty()) all.emplace_back(decode_form(name), decode_form(value));
    }
    return all;
}

std::map<std::string, std::string> parameters_of(std::string_view query) {
    std::map<std::string, std::string> all;
    for (auto& [name, value] : parse_query(query))
        all.insert_or_assign(std::move(name), std::move(value));
    return all;
}

void write_object(const std::map<std::string, std::string>& parameters, std::string& json) {
    json = "{";
    for (const auto& [name, value] : parameters) {
        if (json.size() > 1) json += ',';
        base::append_json_string(json, name);
        json += ':';
        base::append_json_string(json, value);
    }
    json += '}';
}

std::optional<std::string_view> find_parameter(std::string_view query, std::string_view name) noexcept {
    while (!query.empty()) {
        const auto [found, value] = take_parameter(query);
        if (found == name) return value;
    }
    return std::nullopt;
}

} // namespace trackd::http
