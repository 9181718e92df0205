#include "admin/control_routes.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value_to.hpp>

#include <stdexcept>

namespace trackd::admin {

namespace json = boost::json;

namespace {

json::array list(const std::vector<std::string>& of) {
    return json::array(of.begin(), of.end());
}

http::task<void> respond_to_reload(controls& of, http::response& res) {
    const auto report = co_await of.reload("trackd reload");
    const json::object page{
        {"generation", report.generation}, {"changed", list(report.changed)}, {"wrong", list(report.wrong)}
    };
    const auto code = report.wrong.empty() ? http::status::ok : http::status::unprocessable_entity;
    res.json(code, json::serialize(page));
}

void show_log_level(const controls& of, http::response& res) {
    const auto level = of.log_level();
    res.json(
        http::status::ok,
        json::serialize(json::object{{"level", json::string_view{level.data(), level.size()}}})
    );
}

/// @return nothing if it is not `{"level":"…"}`
std::string level_in(std::string_view body) {
    boost::system::error_code failure;
    const auto value = json::parse({body.data(), body.size()}, failure);
    const auto* page = failure ? nullptr : value.if_object();
    const auto* level = page != nullptr && page->size() == 1 ? page->if_contains("level") : nullptr;
    if (level == nullptr || !level->is_string()) return {};
    return json::value_to<std::string>(*level);
}

void set_log_level(controls& of, const http::request& req, http::response& res) {
    if (of.set_log_level(level_in(req.body))) return show_log_level(of, res);
    res.problem(
        http::status::bad_request, "invalid-level",
        R"(expected {"level":"…"} with one of trace, debug, info, warn, error and off)"
    );
}

} // namespace

void add_control_routes(http::router& routes, controls& of) {
    const auto reload = [&of](const http::request&, http::response& res) -> http::pending {
        return respond_to_reload(of, res);
    };
    const auto config = [&of](const http::request&, http::response& res) -> http::pending {
        res.text(http::status::ok, of.configuration_text());
        return {};
    };
    const auto get_level = [&of](const http::request&, http::response& res) -> http::pending {
        show_log_level(of, res);
        return {};
    };
    const auto put_level = [&of](const http::request& req, http::response& res) -> http::pending {
        set_log_level(of, req, res);
        return {};
    };
    routes.add(http::verb::post, "/reload", reload);
    routes.add(http::verb::get, "/debug/config", config);
    routes.add(http::verb::get, "/debug/log-level", get_level);
    routes.add(http::verb::put, "/debug/log-level", put_level);
}

reload_report parse_reload_report(std::string_view text) {
    try {
        const auto page = json::parse({text.data(), text.size()});
        return {
            json::value_to<std::vector<std::string>>(page.at("wrong")),
            page.at("generation").to_number<std::uint64_t>(),
            json::value_to<std::vector<std::string>>(page.at("changed"))
        };
    } catch (const std::exception&) {
        throw std::runtime_error{"the daemon's answer is not understood; is it another version?"};
    }
}

} // namespace trackd::admin
