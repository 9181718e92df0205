#include "http/router.hpp"
#include "support/catch.hpp"

#include <stdexcept>
#include <string>
#include <vector>

using namespace trackd;
using namespace trackd::http;

namespace {

handler says(std::string name) {
    return [name = std::move(name)](const request& req, response& res) -> pending {
        res.text(status::ok, name + "(" + std::string{req.parameter} + ")");
        return {};
    };
}

router example() {
    router routes;
    routes.add(verb::post, "/events", says("events"));
    routes.add(verb::post, "/events/{type}", says("typed"));
    routes.add(verb::post, "/events/batch", says("batch"));
    routes.add(verb::get, "/status", says("status"));
    return routes;
}

response answer(verb method, std::string_view path) {
    request req;
    req.method = method;
    req.path = path;
    response res;
    auto work = example().route(req, res);
    CHECK_FALSE(work);
    return res;
}

} // namespace

TEST_CASE("a path finds its handler, and the spelt-out one first", "[http][router]") {
    CHECK(answer(verb::post, "/events").body == "events()");
    CHECK(answer(verb::post, "/events/click").body == "typed(click)");
    CHECK(answer(verb::post, "/events/batch").body == "batch()");
}

TEST_CASE("a parameter is not empty and has no slash", "[http][router]") {
    CHECK(answer(verb::post, "/events/").body == "events()");
    CHECK(answer(verb::post, "/events/a/b").code == status::not_found);
}

TEST_CASE("a slash too many leads to the same handler, wherever it stands", "[http][router]") {
    auto routes = example();
    routes.add(verb::get, "/v1/projects/{key}/settings", says("settings"));
    routes.add(verb::post, "/", says("root"));
    routes.add(verb::post, "/v1/batch", says("calls"));
    const auto body_of = [&](verb method, std::string_view path) {
        request req;
        req.method = method;
        req.path = path;
        response res;
        static_cast<void>(routes.route(req, res));
        CHECK(routes.has_handler(req));
        return res.body;
    };
    for (const auto* path : {"//events", "/events/", "///events//"})
        CHECK(body_of(verb::post, path) == "events()");
    for (const auto* path : {"/events/click/", "//events/click", "/events//click//"})
        CHECK(body_of(verb::post, path) == "typed(click)");
    for (const auto* path : {"/events/batch/", "/events//batch"})
        CHECK(body_of(verb::post, path) == "batch()");
    for (const auto* path : {"/v1/batch/", "//v1/batch", "/v1//batch", "//v1//batch//"})
        CHECK(body_of(verb::post, path) == "calls()");
    for (const auto* path : {"/v1/projects/k/settings/", "//v1/projects//k/settings"})
        CHECK(body_of(verb::get, path) == "settings(k)");
    CHECK(body_of(verb::post, "//") == "root()");
    CHECK(body_of(verb::head, "/status/") == "status()");
    CHECK(answer(verb::get, "/events//").headers == "Allow: POST, OPTIONS\r\n");
    for (const auto* path : {"/events/a//b", "/v1/batch/x", "v1/batch", "/v1/bat/ch", "/v1batch"})
        CHECK(answer(verb::post, path).code == status::not_found);
}

TEST_CASE("errors without a handler have the form of their path", "[http][router]") {
    router routes;
    const auto add = [&](verb method, const char* path, error_form errors) {
        routes.add(method, path, says(path), access::known, errors);
    };
    const error_form short_form = [](const request&, response& res, status what, std::string_view slug,
                                     std::string_view) { res.text(what, slug); };
    const error_form image = [](const request&, response& res, status, std::string_view, std::string_view) {
        res.text(status::ok, "image");
    };
    add(verb::post, "/hook", short_form);
    add(verb::get, "/v1/pixel", image);
    add(verb::get, "/plain", nullptr);
    routes.say_errors_below("/v1/", short_form);
    const auto answer_of = [&](verb method, std::string_view path) {
        request req;
        req.method = method;
        req.path = path;
        response res;
        static_cast<void>(routes.route(req, res));
        return std::to_string(static_cast<unsigned>(res.code)) + ' ' +
               (res.body.starts_with('{') ? "problem" : res.body);
    };
    CHECK(answer_of(verb::get, "/hook") == "405 method-not-allowed");
    CHECK(answer_of(verb::get, "/hook//") == "405 method-not-allowed");
    CHECK(answer_of(verb::post, "/v1/nowhere") == "404 not-found");
    CHECK(answer_of(verb::post, "//v1/nowhere/") == "404 not-found");
    CHECK(answer_of(verb::post, "/v1/pixel") == "405 method-not-allowed");
    CHECK(answer_of(verb::post, "/v1") == "404 problem");
    CHECK(answer_of(verb::post, "/v1x/y") == "404 problem");
    CHECK(answer_of(verb::post, "/plain") == "405 problem");
    CHECK(answer_of(verb::post, "/nowhere") == "404 problem");
}

TEST_CASE("a parameter may stand in the middle of a path", "[http][router]") {
    router routes;
    routes.add(verb::get, "/projects/{key}/settings", says("settings"));
    const auto body_of = [&](std::string_view path) {
        request req;
        req.method = verb::get;
        req.path = path;
        response res;
        static_cast<void>(routes.route(req, res));
        return res.code == status::ok ? res.body : std::string{};
    };
    CHECK(body_of("/projects/k/settings") == "settings(k)");
    for (const auto* path :
         {"/projects//settings", "/projects/settings", "/projects/a/b/settings", "/projects/k",
          "/projects/k/setting"}) {
        INFO(path);
        CHECK(body_of(path).empty());
    }
}

TEST_CASE("an answer says whose it is: by the route's pattern, whatever its method", "[http][router]") {
    auto routes = example();
    routes.add(verb::options, "/events/{type}", says("options"));
    const auto pattern_of = [&](verb method, std::string_view path) {
        request req;
        req.method = method;
        req.path = path;
        response res;
        static_cast<void>(routes.route(req, res));
        return routes.patterns().at(res.route);
    };
    CHECK(pattern_of(verb::post, "/events") == "/events");
    CHECK(pattern_of(verb::post, "/events/click") == "/events/{type}");
    CHECK(pattern_of(verb::options, "/events/click") == "/events/{type}");
    CHECK(pattern_of(verb::head, "/status") == "/status");
    CHECK(pattern_of(verb::get, "/nowhere") == "none");
    CHECK(pattern_of(verb::delete_, "/status") == "none");
    CHECK(
        routes.patterns() ==
        std::vector<std::string>{"none", "/events", "/events/{type}", "/events/batch", "/status"}
    );
}

TEST_CASE("an unknown path is 404, and near misses are unknown", "[http][router]") {
    for (const auto* path : {"/", "/event", "/eventss", "/STATUS"}) {
        INFO(path);
        CHECK(answer(verb::get, path).code == status::not_found);
    }
}

TEST_CASE("an unknown method of a known path is 405 and says what is allowed", "[http][router]") {
    const auto res = answer(verb::delete_, "/status");
    CHECK(res.code == status::method_not_allowed);
    CHECK(res.headers == "Allow: GET, HEAD, OPTIONS\r\n");
    CHECK(answer(verb::get, "/events/click").headers == "Allow: POST, OPTIONS\r\n");
}

TEST_CASE("OPTIONS is answered for a path and for the server", "[http][router]") {
    CHECK(answer(verb::options, "/events").code == status::no_content);
    CHECK(answer(verb::options, "/events").headers == "Allow: POST, OPTIONS\r\n");
    CHECK(answer(verb::options, "*").headers == "Allow: POST, GET, HEAD, OPTIONS\r\n");
    CHECK(answer(verb::options, "/nowhere").code == status::not_found);
}

TEST_CASE("HEAD goes to the handler of GET", "[http][router]") {
    CHECK(answer(verb::head, "/status").body == "status()");
    CHECK(answer(verb::head, "/events").code == status::method_not_allowed);
}

TEST_CASE("a method that HTTP does not know is 501", "[http][router]") {
    CHECK(answer(verb::unknown, "/status").code == status::not_implemented);
}

TEST_CASE("a pattern that cannot be meant is refused when it is added", "[http][router]") {
    router routes;
    for (const auto* pattern : {"", "events", "/events{type}", "/{type}/x"}) {
        INFO(pattern);
        CHECK_THROWS_AS(routes.add(verb::get, pattern, says("")), std::invalid_argument);
    }
}

TEST_CASE("fields are found by number and by name", "[http][request]") {
    request req;
    req.headers = {
        {field::prefer, "Prefer", "return=minimal, Return=Representation;q=1"},
        {field::unknown, "X-Api-Key", "k"},
        {field::unknown, "x-api-key", "second"}
    };
    CHECK(req.header(field::prefer) == "return=minimal, Return=Representation;q=1");
    CHECK(req.header("X-API-KEY") == "k");
    CHECK(req.header("X-Api").empty());
    CHECK(req.header_has("prefer", "return=representation"));
    CHECK_FALSE(req.header_has("prefer", "return"));
}
