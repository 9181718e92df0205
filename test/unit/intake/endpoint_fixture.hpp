// A router with the ways in of one lane, and requests to it: what the tests of all formats begin with.
#pragma once

#include "http/router.hpp"
#include "intake/body_decoder.hpp"
#include "intake/counters.hpp"
#include "reading.hpp"

#include <trackd/lane.hpp>

#include <boost/json/parse.hpp>

#include <string>
#include <string_view>
#include <utility>

namespace reading {

namespace http = trackd::http;

/// Admits what it is told to.
class fake_lane final : public trackd::lane {
public:
    boost::system::error_code admit(trackd::batch::mark since, std::string_view) override {
        ++admissions;
        if (refusal) drop(since);
        return refusal;
    }

    bool waits_for_ack() const noexcept override { return waits; }

    void when_acknowledged(ack_handler handler) override { std::move(handler)(outcome); }

    std::chrono::seconds retry_after() const noexcept override { return wait; }

    boost::system::error_code refusal;
    bool waits = false;
    std::chrono::seconds wait{7};
    boost::system::error_code outcome;
    int admissions = 0;
};

/// Header fields stay from request to request.
template <class Endpoint>
struct endpoint_fixture {
    endpoint_fixture() { endpoint.add_routes(router); }

    /// Sends a request, and waits until it is answered.
    /// @param target the path, and perhaps a query
    const http::response& send(http::verb method, std::string_view target, std::string_view text = "") {
        const body sent{text};
        req.method = method;
        req.path = target.substr(0, target.find('?'));
        req.query = target.substr(std::min(req.path.size() + 1, target.size()));
        req.parameter = {};
        req.body = sent.text();
        req.received_at = arrival;
        res.clear();
        waited = false;
        if (auto left = router.route(req, res)) {
            waited = true;
            REQUIRE(left.promised() != nullptr);
            left.promised()->when_kept([&](boost::system::error_code broken) {
                if (broken) left.promised()->apologise(broken, res);
            });
        }
        return res;
    }

    const http::response& post(std::string_view target, std::string_view text) {
        return send(http::verb::post, target, text);
    }

    const http::response& get(std::string_view target) { return send(http::verb::get, target); }

    void header(http::field id, std::string_view name, std::string_view value) {
        req.headers.push_back({id, name, value});
    }

    /// For a name that Beast has no number for.
    void header(std::string_view name, std::string_view value) { header(http::field::unknown, name, value); }

    bool answered_header(std::string_view line) const {
        return res.headers.find(std::string{line} + "\r\n") != std::string::npos;
    }

    std::string slug() const {
        REQUIRE(res.content_type == "application/problem+json");
        const std::string type{boost::json::parse(res.body).at("type").as_string()};
        return type.substr(type.find_last_of(":/") + 1);
    }

    std::string detail() const { return std::string{boost::json::parse(res.body).at("detail").as_string()}; }

    /// All events that were admitted.
    std::vector<event> events() { return {lane.events().begin(), lane.events().end()}; }

    /// The one event of a request that must be good.
    event only_event() {
        INFO(res.body);
        REQUIRE(lane.events().events() == 1);
        return event{*lane.events().begin()};
    }

    fake_lane lane;
    trackd::intake::body_decoder decoder{{}};
    trackd::intake::counters counts;
    Endpoint endpoint{lane, decoder, counts, {.default_source = "the-default"}};
    http::router router;
    http::request req;
    http::response res;
    bool waited = false;
};

} // namespace reading
