#include "service/rejections_text.hpp"

#include "base/json_text.hpp"

#include <boost/json/value_to.hpp>

#include <cstdint>
#include <string_view>

namespace trackd::service {

namespace json = boost::json;

namespace {

constexpr std::string_view indent = "               ";

std::string number(const json::value& in, std::string_view key) {
    return std::to_string(in.at({key.data(), key.size()}).to_number<std::uint64_t>());
}

std::string text(const json::value& in, std::string_view key) {
    return json::value_to<std::string>(in.at({key.data(), key.size()}));
}

/// ` key="web"`; nothing where the member is null.
std::string member(const json::value& in, std::string_view key) {
    if (in.at({key.data(), key.size()}).is_null()) return {};
    return " " + std::string{key} + '=' + base::json_string(text(in, key));
}

std::string record_line(const json::value& rejected) {
    std::string line{indent};
    line += text(rejected, "time") + ' ' + number(rejected, "status") + ' ' + text(rejected, "reason");
    for (const auto* key : {"key", "method", "path"})
        line += member(rejected, key);
    if (rejected.as_object().contains("calls")) line += " calls=" + number(rejected, "calls");
    return line + ": " + base::json_string(text(rejected, "detail")) + '\n';
}

} // namespace

std::string rejections_text(const json::value& page) {
    const auto* rejections = page.as_object().if_contains("rejections");
    if (rejections == nullptr) return {};
    std::string counts;
    for (const auto& each : rejections->at("by_reason").as_array())
        counts += (counts.empty() ? "" : ", ") + number(each, "count") + " of " + number(each, "status") +
                  ' ' + text(each, "reason");
    std::string lines = counts.empty() ? counts : "rejected       " + counts + '\n';
    for (const auto& rejected : rejections->at("latest").as_array())
        lines += record_line(rejected);
    return lines;
}

} // namespace trackd::service
