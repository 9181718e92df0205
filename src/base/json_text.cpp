#include "base/json_text.hpp"

#include "base/base64.hpp"
#include "base/rfc3339.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace trackd::base {

namespace {

constexpr std::string_view hex_digits = "0123456789abcdef";
constexpr std::string_view replacement_character = "\xEF\xBF\xBD"; // U+FFFD

constexpr unsigned char byte_of(char c) noexcept {
    return static_cast<unsigned char>(c);
}

// The index of the first byte that is special, or the size. Most text has none: whole blocks are looked at
// without a branch a byte, which compilers turn into a few vector instructions (g++ -O3 fails to for blocks
// under 32 bytes).
template <typename Special>
std::size_t find_special(std::string_view text, Special special) noexcept {
    constexpr std::size_t block = 32;
    std::size_t at = 0;
    for (; text.size() - at >= block; at += block) {
        unsigned char found = 0;
        for (std::size_t i = 0; i < block; ++i)
            found |= special(byte_of(text[at + i]));
        if (found != 0) break;
    }
    while (at < text.size() && special(byte_of(text[at])) == 0)
        ++at;
    return at;
}

// How many bytes the UTF-8 character has that `text` begins with, or 0 if it does not begin with one: the
// table of RFC 3629 section 4.
std::size_t character_bytes(std::string_view text) noexcept {
    const auto within = [text](std::size_t i, unsigned char low, unsigned char high) {
        return i < text.size() && byte_of(text[i]) >= low && byte_of(text[i]) <= high;
    };
    const auto tail = [&](std::size_t i) { return within(i, 0x80, 0xBF); };
    const auto first = byte_of(text.front());
    if (first < 0x80) return 1;
    if (first < 0xC2) return 0;
    if (first < 0xE0) return tail(1) ? 2 : 0;
    if (first < 0xF0) {
        const bool second = within(1, first == 0xE0 ? 0xA0 : 0x80, first == 0xED ? 0x9F : 0xBF);
        return second && tail(2) ? 3 : 0;
    }
    if (first > 0xF4) return 0;
    const bool second = within(1, first == 0xF0 ? 0x90 : 0x80, first == 0xF4 ? 0x8F : 0xBF);
    return second && tail(2) && tail(3) ? 4 : 0;
}

void append_u00(std::string& out, unsigned char code) {
    out += "\\u00";
    out += hex_digits[code >> 4U];
    out += hex_digits[code & 0xFU];
}

// The controls U+0080 to U+009F: some terminals obey them as they do ESC.
bool is_c1_control(std::string_view character) noexcept {
    return character.size() >= 2 && byte_of(character[0]) == 0xC2 && byte_of(character[1]) >= 0x80 &&
           byte_of(character[1]) < 0xA0;
}

void append_ascii_escaped(std::string& out, char c) {
    switch (c) {
    case '"': out += "\\\""; break;
    case '\\': out += "\\\\"; break;
    case '\b': out += "\\b"; break;
    case '\f': out += "\\f"; break;
    case '\n': out += "\\n"; break;
    case '\r': out += "\\r"; break;
    case '\t': out += "\\t"; break;
    default: append_u00(out, byte_of(c));
    }
}

// Appends what stands for the character that `text` begins with, and says how many bytes it had.
std::size_t append_special(std::string& out, std::string_view text) {
    const auto size = character_bytes(text);
    if (size == 0) {
        out += replacement_character;
        return 1;
    }
    if (size == 1) {
        append_ascii_escaped(out, text.front());
    } else if (is_c1_control(text)) {
        append_u00(out, byte_of(text[1]));
    } else {
        out += text.substr(0, size);
    }
    return size;
}

// Appends valid JSON so that it fits on one line of a file or a terminal: a line break can only be white
// space between tokens; DEL and the C1 controls can only stand in strings, where an escape means the same.
void append_json_on_one_line(std::string& out, std::string_view json) {
    const auto special = [](unsigned char c) -> unsigned char {
        return static_cast<unsigned char>(c == '\n') | static_cast<unsigned char>(c == '\r') |
               static_cast<unsigned char>(c == 0x7F) | static_cast<unsigned char>(c == 0xC2);
    };
    while (true) {
        const auto clean = find_special(json, special);
        out += json.substr(0, clean);
        json.remove_prefix(clean);
        if (json.empty()) return;
        if (is_c1_control(json)) {
            append_u00(out, byte_of(json[1]));
            json.remove_prefix(2);
            continue;
        }
        switch (json.front()) {
        case '\n':
        case '\r': out += ' '; break;
        case '\x7F': append_u00(out, 0x7F); break;
        default: out += json.front();
        }
        json.remove_prefix(1);
    }
}

void append_string_member(std::string& out, std::string_view key, std::string_view value) {
    out += key;
    append_json_string(out, value);
}

void append_time_member(std::string& out, std::string_view key, wall_time value) {
    out += key;
    out += '"';
    append_rfc3339(out, value);
    out += '"';
}

// The members of a JSON object, without the braces and the white space around them.
std::string_view members_of(std::string_view object) noexcept {
    constexpr std::string_view space = " \t\r\n";
    const auto begin = object.find_first_not_of(space, object.find('{') + 1);
    const auto end = object.find_last_not_of(space, object.rfind('}') - 1);
    return begin > end ? std::string_view{} : object.substr(begin, end + 1 - begin);
}

// Whether the name, quotes included, is the name of a member. Within a string its quotes would be escaped, so
// only a whole string can match, and only a name is followed by a colon.
bool has_member(std::string_view members, std::string_view quoted_name) noexcept {
    for (auto at = members.find(quoted_name); at != members.npos; at = members.find(quoted_name, at + 1)) {
        const auto next = members.find_first_not_of(" \t\r\n", at + quoted_name.size());
        if (next != members.npos && members[next] == ':') return true;
    }
    return false;
}

} // namespace

void append_json_string(std::string& out, std::string_view text) {
    const auto special = [](unsigned char c) -> unsigned char {
        return static_cast<unsigned char>(c < 0x20) | static_cast<unsigned char>(c >= 0x7F) |
               static_cast<unsigned char>(c == '"') | static_cast<unsigned char>(c == '\\');
    };
    out += '"';
    while (true) {
        const auto clean = find_special(text, special);
        out += text.substr(0, clean);
        text.remove_prefix(clean);
        if (text.empty()) break;
        text.remove_prefix(append_special(out, text));
    }
    out += '"';
}

std::string json_string(std::string_view text) {
    std::string made;
    append_json_string(made, text);
    return made;
}

void append_data_member(std::string& out, const event_view& event) {
    switch (event.kind) {
    case data_kind::none: break;
    case data_kind::json:
        out += R"(,"data":)";
        append_json_on_one_line(out, event.data);
        break;
    case data_kind::text: append_string_member(out, R"(,"data":)", event.data); break;
    case data_kind::binary:
        out += R"(,"data_base64":")";
        append_base64(out, event.data);
        out += '"';
        break;
    }
}

void append_cloudevent(std::string& out, const event_view& event) {
    append_string_member(out, R"({"specversion":"1.0","id":)", event.id);
    append_string_member(out, R"(,"source":)", event.source);
    append_string_member(out, R"(,"type":)", event.type);
    append_time_member(out, R"(,"time":)", event.time);
    if (!event.subject.empty()) append_string_member(out, R"(,"subject":)", event.subject);
    if (!event.datacontenttype.empty()) {
        append_string_member(out, R"(,"datacontenttype":)", event.datacontenttype);
    }
    const auto extensions = event.extensions.empty() ? std::string_view{} : members_of(event.extensions);
    if (!extensions.empty()) {
        out += ',';
        append_json_on_one_line(out, extensions);
    }
    if (!has_member(extensions, R"("receivedat")")) {
        append_time_member(out, R"(,"receivedat":)", event.received_at);
    }
    append_data_member(out, event);
    out += '}';
}

} // namespace trackd::base
