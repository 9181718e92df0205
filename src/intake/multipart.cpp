#include "intake/multipart.hpp"

#include "base/ascii.hpp"
#include "base/base64.hpp"
#include "base/json_text.hpp"
#include "intake/media_type.hpp"
#include "intake/text.hpp"

#include <algorithm>
#include <utility>

namespace trackd::intake {

namespace {

constexpr std::string_view line_end = "\r\n";

struct part {
    std::string name;
    std::optional<std::string> filename;
    std::string_view content_type;
    std::string_view body;
};

/// Cuts off what stands before the separator, and the separator.
std::string_view take_before(std::string_view separator, std::string_view& rest) noexcept {
    const auto front = rest.substr(0, rest.find(separator));
    rest.remove_prefix(std::min(front.size() + separator.size(), rest.size()));
    return front;
}

/// Cuts a parameter's value off, with the `;` behind it, and undoes its quotes.
std::string take_value(std::string_view& rest) {
    rest = trimmed(rest);
    if (!rest.starts_with('"')) return std::string{trimmed(take_before(";", rest))};
    std::string value;
    std::size_t at = 1;
    for (; at < rest.size() && rest[at] != '"'; ++at) {
        const bool escaped = rest[at] == '\\' && at + 1 < rest.size() && rest[at + 1] == '"';
        value += rest[escaped ? ++at : at];
    }
    rest.remove_prefix(std::min(at + 1, rest.size()));
    take_before(";", rest);
    return value;
}

void read_disposition(std::string_view value, part& into) {
    take_before(";", value); // form-data
    while (!value.empty()) {
        const auto name = trimmed(take_before("=", value));
        auto text = take_value(value);
        if (base::equal_ignoring_case(name, "name"))
            into.name = std::move(text);
        else if (base::equal_ignoring_case(name, "filename"))
            into.filename = std::move(text);
    }
}

part read_part(std::string_view text) {
    part found;
    while (!text.empty()) {
        auto line = take_before(line_end, text);
        if (line.empty()) break;
        const auto name = trimmed(take_before(":", line));
        if (base::equal_ignoring_case(name, "Content-Disposition")) read_disposition(line, found);
        if (base::equal_ignoring_case(name, "Content-Type")) found.content_type = trimmed(line);
    }
    found.body = text;
    return found;
}

std::string json_of(const part& given) {
    std::string json;
    const bool is_text = given.body.empty() || kind_of(given.body) == data_kind::text;
    if (!given.filename && is_text) {
        base::append_json_string(json, given.body);
        return json;
    }
    json = R"({"filename":)";
    base::append_json_string(json, given.filename.value_or(""));
    json += R"(,"contenttype":)";
    base::append_json_string(json, given.content_type);
    json += is_text ? R"(,"data":)" : R"(,"data_base64":")";
    if (is_text)
        base::append_json_string(json, given.body);
    else
        base::append_base64(json, given.body);
    json += is_text ? "}" : "\"}";
    return json;
}

} // namespace

std::optional<std::map<std::string, std::string>>
read_multipart(std::string_view content_type, std::string_view body) {
    const auto boundary = media_type{content_type}.parameter("boundary");
    if (boundary.empty()) return std::nullopt;
    const auto first = "--" + std::string{boundary};
    const auto next = std::string{line_end} + first;
    const auto begin = body.starts_with(first) ? 0 : body.find(next); // behind a preamble
    if (begin == std::string_view::npos) return std::nullopt;
    body.remove_prefix(begin + (begin == 0 ? first : next).size());

    std::map<std::string, std::string> fields;
    while (!body.starts_with("--")) {
        if (!trimmed(take_before(line_end, body)).empty()) return std::nullopt;
        const auto end = body.find(next);
        if (end == std::string_view::npos) return std::nullopt; // cut off
        const auto given = read_part(body.substr(0, end));
        if (!given.name.empty()) fields[given.name] = json_of(given);
        body.remove_prefix(end + next.size());
    }
    return fields;
}

} // namespace trackd::intake
