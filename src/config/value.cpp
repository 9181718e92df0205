// Looking into the tree of value.hpp, and showing its values in errors.
#include "config/value.hpp"

#include <algorithm>

namespace trackd::config {
namespace {

constexpr std::size_t longest_shown = 80;

struct shower {
    std::string operator()(reported) const { return {}; }

    std::string operator()(bool what) const { return what ? "true" : "false"; }

    std::string operator()(std::int64_t what) const { return std::to_string(what); }

    std::string operator()(const std::string& what) const { return in_quotes(what); }

    std::string operator()(const list&) const { return "an array"; }

    std::string operator()(const table&) const { return "a table"; }

    std::string operator()(const unsupported& what) const { return what.shown; }
};

} // namespace

const value* find(const table& in, std::string_view key) noexcept {
    const auto found = std::find_if(in.begin(), in.end(), [&](const member& m) { return m.key == key; });
    return found == in.end() ? nullptr : &found->content;
}

value* find(table& in, std::string_view key) noexcept {
    const auto found = std::find_if(in.begin(), in.end(), [&](const member& m) { return m.key == key; });
    return found == in.end() ? nullptr : &found->content;
}

std::string in_quotes(std::string_view text) {
    std::string result = "\"";
    for (const char c : text.substr(0, longest_shown)) {
        const auto byte = static_cast<unsigned char>(c);
        result += byte < 0x20 || byte == 0x7f ? '?' : c; // a log's line must stay one line
    }
    if (text.size() > longest_shown) result += "…";
    return result + '"';
}

std::string shown(const value& what) {
    return std::visit(shower{}, what.content);
}

} // namespace trackd::config
