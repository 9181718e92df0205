#include "intake/rejection_text.hpp"

#include "base/ascii.hpp"
#include "base/utf8.hpp"
#include "intake/decode.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

namespace trackd::intake {

namespace {

constexpr std::size_t max_path_bytes = 200;
constexpr std::size_t max_detail_bytes = 300;
constexpr std::string_view key_prefix = "trk_";
constexpr std::string_view masked_key = "trk_…";
constexpr std::string_view delimiters = "/\"'?&;, \t\r\n";

std::size_t find_key(std::string_view text, std::size_t from) {
    const auto found = std::ranges::search(text.substr(from), key_prefix, {}, base::to_lower);
    return found.empty() ? std::string_view::npos : static_cast<std::size_t>(found.begin() - text.begin());
}

std::string mask_keys(std::string_view text) {
    std::string masked;
    std::size_t done = 0;
    for (auto at = find_key(text, 0); at != std::string_view::npos; at = find_key(text, done)) {
        masked.append(text.substr(done, at - done)).append(masked_key);
        done = std::min(text.find_first_of(delimiters, at), text.size());
    }
    return masked.append(text.substr(done));
}

// The segment behind `projects`, which is a key.
std::string mask_project(std::string path) {
    constexpr std::string_view before = "/projects/";
    const auto found = path.find(before);
    if (found == std::string::npos) return path;
    const auto begin = path.find_first_not_of('/', found + before.size());
    if (begin == std::string::npos) return path;
    const auto end = std::min(path.find('/', begin), path.size());
    return path.replace(begin, end - begin, "***");
}

std::string cut(std::string text, std::size_t max_bytes) {
    if (text.size() <= max_bytes) return text;
    text.resize(base::whole_characters(text, max_bytes).size());
    return text += "...";
}

bool is_attribute_name(std::string_view text) {
    static constexpr std::array<std::string_view, 24> names{
        "type",
        "source",
        "id",
        "time",
        "subject",
        "data",
        "event",
        "data_base64",
        "datacontenttype",
        "dataschema",
        "specversion",
        "extensions",
        "batch",
        "userId",
        "anonymousId",
        "messageId",
        "timestamp",
        "sentAt",
        "groupId",
        "previousId",
        "name",
        "originalTimestamp",
        "properties",
        "traits"
    };
    return std::ranges::find(names, text) != names.end();
}

// Of the head, the path or the configuration.
bool introduces_known_text(std::string_view before) {
    static constexpr std::array<std::string_view, 6> introductions{
        "Content-Type is ", "Content-Encoding is ",     "the charset is ",
        "web pages of ",    "the type in the path is ", "expected "
    };
    return std::ranges::any_of(introductions, [before](auto text) { return before.ends_with(text); });
}

// Behind the closing quote; backslashes escape.
std::size_t end_of_quoted(std::string_view text, std::size_t opening) {
    for (auto at = opening + 1; at < text.size(); ++at) {
        if (text[at] == '\\')
            ++at;
        else if (text[at] == '"')
            return at + 1;
    }
    return text.size();
}

std::string mask_quoted(std::string_view text) {
    std::string masked;
    std::size_t done = 0;
    for (auto at = text.find('"'); at != std::string_view::npos; at = text.find('"', done)) {
        masked.append(text.substr(done, at - done));
        const auto end = end_of_quoted(text, at);
        const auto inside = text.substr(at + 1, end - at - std::min<std::size_t>(2, end - at));
        const bool is_shown = is_attribute_name(inside) || introduces_known_text(text.substr(0, at));
        masked.append(is_shown ? text.substr(at, end - at) : "\"…\"");
        done = end;
    }
    return masked.append(text.substr(done));
}

// `found 'N'`: a byte of the body.
std::string mask_found(std::string text) {
    constexpr std::string_view before = "found '";
    for (auto at = text.find(before); at != std::string::npos; at = text.find(before, at + before.size())) {
        const auto byte = at + before.size();
        if (byte + 1 < text.size() && text[byte + 1] == '\'') text[byte] = '?';
    }
    return text;
}

} // namespace

std::string path_for_operator(std::string_view path) {
    std::string shown{path};
    if (find_key(path, 0) == std::string_view::npos)
        if (auto decoded = decode_percent(path); decoded && find_key(*decoded, 0) != std::string::npos)
            shown = std::move(*decoded);
    return cut(mask_project(mask_keys(shown)), max_path_bytes);
}

std::string detail_for_operator(std::string_view detail) {
    return cut(mask_keys(mask_quoted(mask_found(std::string{detail}))), max_detail_bytes);
}

std::string reason_of(std::string_view slug) {
    std::string reason{slug};
    std::ranges::replace(reason, '-', '_');
    return reason;
}

} // namespace trackd::intake
