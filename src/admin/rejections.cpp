#include "admin/rejections.hpp"

#include "base/rfc3339.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <cstdint>
#include <string>
#include <utility>

namespace trackd::admin {

namespace json = boost::json;

namespace {

json::value text_or_null(const std::string& text) {
    return text.empty() ? json::value(nullptr) : json::value(text);
}

json::object record_page(const http::rejection_record& rejected) {
    std::string time;
    base::append_rfc3339(time, rejected.at);
    json::object page{
        {"time", time},
        {"status", rejected.status},
        {"reason", rejected.reason},
        {"detail", rejected.detail},
        {"key", text_or_null(rejected.key)},
        {"method", text_or_null(rejected.method)},
        {"path", text_or_null(rejected.path)},
    };
    if (rejected.calls > 0) page["calls"] = rejected.calls;
    return page;
}

} // namespace

json::object rejections_page(const overview& of, std::size_t max_latest) {
    std::uint64_t total = 0;
    json::array by_reason;
    for (const auto& [status, reason, count] : of.rejections()) {
        total += count;
        if (count > 0)
            by_reason.push_back(json::object{{"status", status}, {"reason", reason}, {"count", count}});
    }
    json::array latest;
    for (const auto& rejected : of.latest_rejections(max_latest))
        latest.push_back(record_page(rejected));
    return {{"total", total}, {"by_reason", std::move(by_reason)}, {"latest", std::move(latest)}};
}

void add_rejections_route(http::router& routes, const overview& of) {
    routes.add(
        http::verb::get, "/debug/rejections",
        [&of](const http::request&, http::response& res) -> http::pending {
            constexpr std::size_t all = SIZE_MAX;
            res.json(http::status::ok, json::serialize(rejections_page(of, all)));
            return {};
        }
    );
}

} // namespace trackd::admin
