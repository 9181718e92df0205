#include "intake/text.hpp"

#include "base/json_text.hpp"
#include "base/utf8.hpp"

#include <simdjson.h>

#include <algorithm>

namespace trackd::intake {

std::string_view trimmed(std::string_view text) noexcept {
    const auto first = text.find_first_not_of(json_blanks);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(json_blanks) - first + 1);
}

data_kind kind_of(std::string_view bytes) noexcept {
    if (bytes.find('\0') != std::string_view::npos) return data_kind::binary;
    return simdjson::validate_utf8(bytes.data(), bytes.size()) ? data_kind::text : data_kind::binary;
}

std::optional<std::string> attribute_fault(std::string_view text) {
    static const auto limit = std::to_string(max_attribute_bytes);
    if (text.empty()) return "is empty; expected 1 to " + limit + " bytes";
    if (text.size() > max_attribute_bytes)
        return "has " + std::to_string(text.size()) + " bytes; expected 1 to " + limit;
    const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20; };
    if (std::any_of(text.begin(), text.end(), is_control))
        return "is " + quoted(text) + "; expected no control characters in it";
    return std::nullopt;
}

bool is_extension_name(std::string_view name) noexcept {
    return !name.empty() && name.size() <= max_attribute_bytes &&
           std::all_of(name.begin(), name.end(), [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
           });
}

// Without a parser: a name with its quotes and a colon behind it stands nowhere else, because a quote within
// a value is escaped, and a value is followed by a comma or a brace.
bool has_extension(std::string_view extensions, std::string_view name) noexcept {
    for (auto at = extensions.find(name); at != std::string_view::npos; at = extensions.find(name, at + 1)) {
        const auto behind = at + name.size();
        if (at > 0 && extensions[at - 1] == '"' && extensions.substr(behind, 2) == "\":") return true;
    }
    return false;
}

std::string quoted(std::string_view text) {
    constexpr std::size_t most = 64;
    if (text.size() <= most) return base::json_string(text);
    return base::json_string(base::whole_characters(text, most)) + "...";
}

} // namespace trackd::intake
