#include "intake/media_type.hpp"

#include "base/ascii.hpp"
#include "intake/text.hpp"

#include <algorithm>
#include <initializer_list>

namespace trackd::intake {

namespace {

/// Cuts off what stands before the first separator.
std::string_view take_until(char separator, std::string_view& rest) noexcept {
    const auto end = std::min(rest.find(separator), rest.size());
    const auto front = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    return front;
}

bool is_token(std::string_view text) noexcept {
    constexpr std::string_view separators = "()<>@,;:\\\"/[]?={}"; // RFC 9110 section 5.6.2
    return !text.empty() && std::all_of(text.begin(), text.end(), [=](char c) {
        return c > ' ' && c < '\x7f' && separators.find(c) == std::string_view::npos;
    });
}

/// A subtype that was never registered may begin with `x-`, or not.
std::string_view without_x(std::string_view subtype) noexcept {
    return base::equal_ignoring_case(subtype.substr(0, 2), "x-") ? subtype.substr(2) : subtype;
}

bool is_one_of(std::string_view name, std::initializer_list<std::string_view> names) noexcept {
    return std::ranges::any_of(names, [name](std::string_view known) {
        return base::equal_ignoring_case(name, known);
    });
}

} // namespace

media_type::media_type(std::string_view text) noexcept : text_{trimmed(text)}, parameters_{text_} {
    essence_ = trimmed(take_until(';', parameters_));
}

bool media_type::well_formed() const noexcept {
    auto subtype = essence_;
    const auto type = take_until('/', subtype);
    return is_token(type) && is_token(subtype) && std::all_of(text_.begin(), text_.end(), [](char c) {
               return (c >= ' ' && c < '\x7f') || c == '\t';
           });
}

bool media_type::is(std::string_view type_and_subtype) const noexcept {
    return base::equal_ignoring_case(essence_, type_and_subtype);
}

bool media_type::begins_with(std::string_view prefix) const noexcept {
    return base::equal_ignoring_case(essence_.substr(0, prefix.size()), prefix);
}

bool media_type::is_json() const noexcept {
    if (is("application/json")) return true; // nearly always
    const auto ends_with = [&](std::string_view ending) {
        return essence_.size() > ending.size() &&
               base::equal_ignoring_case(essence_.substr(essence_.size() - ending.size()), ending);
    };
    return ends_with("/json") || ends_with("+json");
}

bool media_type::is_json_lines() const noexcept {
    auto name = essence_;
    const auto type = take_until('/', name);
    if (!base::equal_ignoring_case(type, "application") && !base::equal_ignoring_case(type, "text"))
        return false;
    return is_one_of(without_x(name), {"ndjson", "jsonl", "jsonlines", "json-lines", "json-l", "ldjson"});
}

bool media_type::is_message_pack() const noexcept {
    auto name = essence_;
    if (!base::equal_ignoring_case(take_until('/', name), "application")) return false;
    return is_one_of(without_x(name), {"msgpack", "messagepack", "vnd.msgpack"});
}

std::string_view media_type::parameter(std::string_view wanted) const noexcept {
    for (auto rest = parameters_; !rest.empty();) {
        auto value = take_until(';', rest);
        const auto name = trimmed(take_until('=', value));
        if (!base::equal_ignoring_case(name, wanted)) continue;
        value = trimmed(value);
        if (value.size() >= 2 && value.starts_with('"') && value.ends_with('"'))
            value = value.substr(1, value.size() - 2);
        return value;
    }
    return {};
}

bool media_type::is_utf8() const noexcept {
    const auto name = charset();
    return name.empty() || base::equal_ignoring_case(name, "utf-8") ||
           base::equal_ignoring_case(name, "utf8") || base::equal_ignoring_case(name, "us-ascii");
}

} // namespace trackd::intake
