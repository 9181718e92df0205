#include "admin/sink_routes.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value_to.hpp>

#include <stdexcept>
#include <utility>
#include <vector>

namespace trackd::admin {

namespace asio = boost::asio;
namespace json = boost::json;
using http::status;

namespace {

constexpr std::string_view confirmation = R"({"confirm":true})";

constexpr sink_action all_actions[] = {
    sink_action::pause, sink_action::resume, sink_action::retry, sink_action::skip, sink_action::forget
};

std::string list(const std::vector<std::string>& names) {
    std::string text;
    for (const auto& name : names)
        text += (text.empty() ? "" : ", ") + name;
    return text;
}

std::string unknown_sink_text(const std::string& sink, const sink_control_report& report) {
    auto text = "no sink is named " + sink + "; there is " + list(report.configured);
    if (!report.removed.empty()) text += "; not configured any more: " + list(report.removed);
    return text;
}

void respond_with_error(const std::string& sink, const sink_control_report& report, http::response& res) {
    switch (report.result) {
    case sink_control_result::done: return;
    case sink_control_result::unknown_sink:
        return res.problem(status::not_found, "no-such-sink", unknown_sink_text(sink, report));
    case sink_control_result::configured:
        return res.problem(
            status::conflict, "configured-sink",
            "sink " + sink + " is configured, and only a removed sink can be forgotten; `trackd sink skip " +
                sink + " --yes` gives up its pending events"
        );
    case sink_control_result::not_configured:
        return res.problem(
            status::conflict, "removed-sink",
            "sink " + sink + " is not configured any more; the only possible action is forget"
        );
    case sink_control_result::paused:
        return res.problem(status::conflict, "paused-sink", "sink " + sink + " is paused; resume it first");
    case sink_control_result::ending:
        return res.problem(
            status::conflict, "stopping",
            "the daemon is stopping, or the delivery to sink " + sink + " has ended"
        );
    case sink_control_result::not_saved:
        return res.problem(
            status::internal_server_error, "not-saved",
            "sink " + sink +
                " is forgotten in memory, but not on disk yet, which is tried again: " + report.error
        );
    }
}

http::task<void> respond(overview& of, std::string sink, sink_action action, http::response& res) {
    auto work = of.the_tracker().control_sink(sink, action);
    const auto report =
        co_await asio::co_spawn(co_await asio::this_coro::executor, std::move(work), http::use_task);
    if (report.result != sink_control_result::done) {
        respond_with_error(sink, report, res);
        co_return;
    }
    const json::object page{{"sink", sink}, {"changed", report.changed}, {"events", report.events}};
    res.json(status::ok, json::serialize(page));
}

/// @return whether the body is `{"confirm":true}`
bool confirms(std::string_view body) {
    boost::system::error_code failure;
    const auto value = json::parse({body.data(), body.size()}, failure);
    const auto* page = failure ? nullptr : value.if_object();
    const auto* confirm = page != nullptr && page->size() == 1 ? page->if_contains("confirm") : nullptr;
    return confirm != nullptr && confirm->is_bool() && confirm->as_bool();
}

http::handler make_handler(overview& of, sink_action action) {
    return [&of, action](const http::request& req, http::response& res) -> http::pending {
        if (body_for(action).empty() || confirms(req.body))
            return respond(of, std::string{req.parameter}, action, res);
        res.problem(
            status::bad_request, "not-confirmed",
            "the sink never gets the events that it skips; expected " + std::string{confirmation}
        );
        return {};
    };
}

} // namespace

void add_sink_routes(http::router& routes, overview& of) {
    for (const auto action : all_actions)
        routes.add(
            http::verb::post, "/sinks/{sink}/" + std::string{to_string(action)}, make_handler(of, action)
        );
}

std::string_view to_string(sink_action action) noexcept {
    switch (action) {
    case sink_action::pause: return "pause";
    case sink_action::resume: return "resume";
    case sink_action::retry: return "retry";
    case sink_action::skip: return "skip";
    case sink_action::forget: return "forget";
    }
    return "unknown";
}

std::string_view body_for(sink_action action) noexcept {
    return action == sink_action::skip ? confirmation : std::string_view{};
}

sink_answer parse_sink_answer(std::string_view text) {
    try {
        const auto page = json::parse({text.data(), text.size()});
        return {page.at("changed").as_bool(), page.at("events").to_number<std::uint64_t>()};
    } catch (const std::exception&) {
        throw std::runtime_error{"the daemon's answer is not understood; is it another version?"};
    }
}

std::string problem_detail(std::string_view text) {
    boost::system::error_code failure;
    const auto value = json::parse({text.data(), text.size()}, failure);
    const auto* page = failure ? nullptr : value.if_object();
    const auto* detail = page != nullptr ? page->if_contains("detail") : nullptr;
    return detail != nullptr && detail->is_string() ? json::value_to<std::string>(*detail) : std::string{};
}

} // namespace trackd::admin
