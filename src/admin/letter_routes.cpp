#include "admin/letter_routes.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value_to.hpp>

#include <optional>
#include <stdexcept>

namespace trackd::admin {

namespace json = boost::json;

namespace {

std::optional<letter_choice> parse_choice(std::string_view body) {
    boost::system::error_code failure;
    const auto value = json::parse({body.data(), body.size()}, failure);
    if (failure || !value.is_object() || value.as_object().size() != 1) return {};
    letter_choice choice;
    if (const auto* all = value.as_object().if_contains("all")) {
        if (!all->is_bool() || !all->as_bool()) return {};
        choice.all = true;
        return choice;
    }
    const auto* ids = value.as_object().if_contains("ids");
    if (ids == nullptr || !ids->is_array() || ids->as_array().empty()) return {};
    for (const auto& id : ids->as_array()) {
        if (!id.is_string()) return {};
        choice.ids.emplace_back(id.as_string().data(), id.as_string().size());
    }
    return choice;
}

http::task<void> respond(overview& of, letters_request what, http::response& res) {
    const auto report = co_await of.handle_dead_letters(what);
    if (!report.known) {
        res.problem(http::status::not_found, "no-such-sink", "no sink is named " + what.sink);
        co_return;
    }
    const json::object page{
        {"gone", report.gone},
        {"refused", report.refused},
        {"error", report.error},
        {"missing", json::array(report.missing.begin(), report.missing.end())}
    };
    res.json(http::status::ok, json::serialize(page));
}

http::handler letters_handler(overview& of, bool deliver) {
    return [&of, deliver](const http::request& req, http::response& res) -> http::pending {
        auto choice = parse_choice(req.body);
        if (choice) return respond(of, {std::string{req.parameter}, deliver, std::move(*choice)}, res);
        res.problem(
            http::status::bad_request, "invalid-choice",
            R"(expected {"all":true}, or {"ids":["…"]} with one or more)"
        );
        return {};
    };
}

} // namespace

void add_letter_routes(http::router& routes, overview& of) {
    routes.add(http::verb::post, "/dead-letters/{sink}/retry", letters_handler(of, true));
    routes.add(http::verb::post, "/dead-letters/{sink}/drop", letters_handler(of, false));
}

std::string to_json(const letter_choice& choice) {
    if (choice.all) return R"({"all":true})";
    json::array ids;
    for (const auto& id : choice.ids)
        ids.emplace_back(id);
    return json::serialize(json::object{{"ids", std::move(ids)}});
}

letters_report parse_report(std::string_view text) {
    boost::system::error_code failure;
    const auto value = json::parse({text.data(), text.size()}, failure);
    const auto* page = failure ? nullptr : value.if_object();
    const auto* gone = page ? page->if_contains("gone") : nullptr;
    const auto* refused = page ? page->if_contains("refused") : nullptr;
    const auto* error = page ? page->if_contains("error") : nullptr;
    const auto* missing = page ? page->if_contains("missing") : nullptr;
    if (!gone || !refused || !error || !error->is_string() || !missing || !missing->is_array())
        throw std::runtime_error{"the daemon's answer is not understood; is it another version?"};
    letters_report report;
    report.known = true;
    report.gone = gone->to_number<std::uint64_t>();
    report.refused = refused->to_number<std::uint64_t>();
    report.error = std::string{error->as_string().data(), error->as_string().size()};
    for (const auto& id : missing->as_array())
        report.missing.emplace(json::value_to<std::string>(id));
    return report;
}

} // namespace trackd::admin
