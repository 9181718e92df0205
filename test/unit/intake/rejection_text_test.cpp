// What operators see of a rejected request has no key in it, and nothing of a body.
#include "intake/rejection_text.hpp"
#include "support/catch.hpp"

#include <string>
#include <utility>
#include <vector>

using namespace trackd::intake;

using cases = std::vector<std::pair<std::string, std::string>>;

TEST_CASE("a path is shown without the keys in it", "[intake][rejections]") {
    const cases paths{
        {"/", "/"},
        {"/events/page.view", "/events/page.view"},
        {"/v1/projects/secret/settings", "/v1/projects/***/settings"},
        {"/v1//projects///secret", "/v1//projects///***"},
        {"/v1/projects/", "/v1/projects/"},
        {"/trk_AbC-d_9/events", "/trk_…/events"},
        {"/events/TRK_abc%2Ddef", "/events/trk_…"},
        {"/events/%74rk%5Fabc", "/events/trk_…"},
        {"/a/trk_1/trk_2", "/a/trk_…/trk_…"},
        {"/" + std::string(300, 'x'), "/" + std::string(199, 'x') + "..."},
        {"/" + std::string(198, 'x') + "\xc3\xa9", "/" + std::string(198, 'x') + "..."},
    };
    for (const auto& [path, shown] : paths)
        CHECK(path_for_operator(path) == shown);
}

TEST_CASE("a detail is shown without what it quotes of the body", "[intake][rejections]") {
    const cases details{
        {"There is nothing at this path.", "There is nothing at this path."},
        {R"("time" is "tomorrow"; expected a date-time)", R"("time" is "…"; expected a date-time)"},
        {R"("specversion" is "2"; expected "1.0")", R"("specversion" is "…"; expected "1.0")"},
        {R"("password" is given twice)", R"("…" is given twice)"},
        {R"("x\"y" is no name, "type" is)", R"("…" is no name, "type" is)"},
        {R"(Content-Type is "text/x"; expected)", R"(Content-Type is "text/x"; expected)"},
        {R"(the key web may not be used by web pages of "https://a.example")",
         R"(the key web may not be used by web pages of "https://a.example")"},
        {R"(may not send events of the source "shop"...)", R"(may not send events of the source "…"...)"},
        {"batch [3]: found 'N', expected a JSON value", "batch [3]: found '?', expected a JSON value"},
        {"found '\"', expected ':'", "found '?', expected ':'"},
        {R"(Content-Type is "trk_abc")", R"(Content-Type is "trk_…")"},
        {R"(an open quote "of the body)", R"(an open quote "…")"},
        {R"(at the end ")", R"(at the end "…")"},
        {std::string(400, 'x'), std::string(300, 'x') + "..."},
    };
    for (const auto& [detail, shown] : details)
        CHECK(detail_for_operator(detail) == shown);
}

TEST_CASE("a reason is the slug of the answer", "[intake][rejections]") {
    CHECK(reason_of("method-not-allowed") == "method_not_allowed");
}
