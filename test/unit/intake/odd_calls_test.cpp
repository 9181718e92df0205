// Odd calls of analytics clients: none of them costs its batch the other calls.
#include "endpoint_fixture.hpp"
#include "intake/attribute_cleaning.hpp"
#include "intake/body_repair.hpp"
#include "intake/segment_endpoint.hpp"

#include <set>

using namespace reading;
using trackd::intake::call_fault;

namespace {

using fixture = endpoint_fixture<trackd::intake::segment_endpoint>;

constexpr std::string_view good = R"({"type":"page","userId":"u","messageId":"good"})";

std::string batch_of(std::initializer_list<std::string_view> calls, std::string_view before = "") {
    std::string body{"{"};
    body.append(before).append(R"("batch":[)");
    for (const auto call : calls) {
        if (!body.ends_with('[')) body += ',';
        body += call;
    }
    return body + "]}";
}

/// Arrays within each other, in the properties of a call.
std::string nested(std::size_t depth) {
    return R"({"type":"page","userId":"u","properties":{"a":)" + std::string(depth, '[') +
           std::string(depth, ']') + "}}";
}

} // namespace

TEST_CASE("a call that cannot be an event is left out of its batch, with its reason", "[intake][segment]") {
    struct odd_call {
        std::string text;
        std::string_view code, why;
    };

    const std::vector<odd_call> calls{
        {R"({"type":"page","userId":"u","properties":{"x":NaN}})", "invalid_json",
         "invalid JSON at byte 46: found 'N', expected a JSON value"},
        {R"({"type":"page","userId":"u","properties":{"x":-Infinity}})", "invalid_json", "invalid JSON"},
        {R"({"type":"page","userId":"u","properties":{"x":undefined}})", "invalid_json", "invalid JSON"},
        {R"({"type":"page","userId":"u","properties":{"x":01,}})", "invalid_json", "invalid JSON"},
        {"{\"type\":\"page\",\"userId\":\"u\nv\"}", "invalid_json", "control characters"},
        {R"({"type":"page","userId":"\q"})", "invalid_json", "after a backslash"},
        {R"({"type":"page" "userId":"u"})", "invalid_json", "expected ',' or '}'"},
        {"NaN", "invalid_json", "invalid JSON"},
        {"", "invalid_json", "invalid JSON"},
        {nested(140), "json_depth", "at most 128"},
        {"7", "invalid_event", "the call is a number; expected an object"},
        {"null", "invalid_event", "the call is null"},
        {R"({"userId":"u"})", "invalid_event", "\"type\" is missing"},
        {R"({"type":"x","userId":"u"})", "invalid_event", "\"type\" is \"x\""},
        {R"({"type":"track","userId":"u"})", "invalid_event", "\"event\" is missing"},
        {R"({"type":"page","userId":{}})", "invalid_event", "\"userId\" is an object"},
        {R"({"type":"page"})", "no_user", "\"userId\" and \"anonymousId\" are missing"},
        {R"({"type":"page","userId":"u","x":")" + std::string(1 << 20, 'x') + "\"}", "event_too_large",
         "1048576"},
    };
    for (const auto& call : calls) {
        fixture f;
        f.post("/v1/batch", batch_of({good, call.text, good}));
        INFO(call.text.substr(0, 200));
        INFO(f.res.body);
        REQUIRE(f.res.code == http::status::ok);
        CHECK(f.events().size() == 2);
        const auto answer = boost::json::parse(f.res.body).as_object();
        CHECK(answer.at("success") == true);
        CHECK(answer.at("rejected") == 1);
        const auto& rejection = answer.at("rejections").as_array().at(0);
        CHECK(rejection.at("index") == 1);
        CHECK(std::string_view{rejection.at("code").as_string()} == call.code);
        CHECK(std::string_view{rejection.at("message").as_string()}.find(call.why) != std::string_view::npos);
        for (const auto fault : trackd::intake::all_call_faults)
            CHECK(f.counts.rejected_calls.of(fault) == (to_string(fault) == call.code ? 1 : 0));
    }
}

TEST_CASE(
    "all odd calls of a batch are listed by their index, and the others are stored", "[intake][segment]"
) {
    fixture f;
    f.post(
        "/v1/batch",
        batch_of(
            {R"({"type":"page","userId":NaN})", good, nested(140), "7", good, R"({"type":"page"})"},
            R"("context":{"ip":"1"},)"
        )
    );
    CHECK(f.events().size() == 2);
    CHECK(boost::json::parse(f.events()[0].data).at("context").at("ip") == "1");
    const auto answer = boost::json::parse(f.res.body).as_object();
    CHECK(answer.at("rejected") == 4);
    std::vector<std::int64_t> indexes;
    for (const auto& one : answer.at("rejections").as_array())
        indexes.push_back(one.at("index").as_int64());
    CHECK(indexes == std::vector<std::int64_t>{0, 2, 3, 5});
    CHECK(f.counts.limits.of(trackd::intake::limit::json_depth) == 1);

    f.lane.events().clear();
    f.post("/v1/batch", batch_of({good}));
    CHECK(f.res.body == R"({"success":true})"); // nothing of the batch before
}

TEST_CASE("the answer lists the first twenty rejected calls", "[intake][segment]") {
    fixture f;
    std::string body = R"({"batch":[)" + std::string{good};
    for (int i = 0; i < 30; ++i)
        body += ",NaN";
    f.post("/v1/batch", body + "]}");
    const auto answer = boost::json::parse(f.res.body).as_object();
    CHECK(answer.at("rejected") == 30);
    CHECK(answer.at("rejections").as_array().size() == 20);
    CHECK(f.counts.rejected_calls.of(call_fault::invalid_json) == 30);
}

TEST_CASE("a batch without a good call is refused with the reason of the first", "[intake][segment]") {
    fixture f;
    f.post("/v1/batch", batch_of({R"({"type":"page","x":NaN})", "7"}));
    CHECK(f.res.code == http::status::bad_request);
    const auto error = boost::json::parse(f.res.body).as_object();
    CHECK(error.at("code") == "invalid_json");
    CHECK(error.at("message").as_string().starts_with("batch [0]: invalid JSON at byte 19"));
    CHECK(f.events().empty());
    CHECK(f.counts.rejected_calls.of(call_fault::invalid_json) == 1);
    CHECK(f.counts.rejected_calls.of(call_fault::invalid_event) == 1);
}

TEST_CASE("rejected calls count once their batch is admitted", "[intake][segment]") {
    fixture f;
    f.lane.refusal = trackd::errc::backlog_full;
    f.post("/v1/batch", batch_of({good, "7"}));
    CHECK(f.res.code == http::status::service_unavailable);
    CHECK(f.counts.rejected_calls.of(call_fault::invalid_event) == 0);
    f.lane.refusal = {};
    f.post("/v1/batch", batch_of({good, "7"}));
    CHECK(f.counts.rejected_calls.of(call_fault::invalid_event) == 1);
}

TEST_CASE("a client of RudderStack gets its ok, also for a batch that lost a call", "[intake][segment]") {
    fixture f;
    f.post("/beacon/v1/batch", batch_of({good, "7"}));
    CHECK(f.res.code == http::status::ok);
    CHECK(f.res.body == "ok");
    CHECK(f.events().size() == 1);
    CHECK(f.counts.rejected_calls.of(call_fault::invalid_event) == 1);
}

TEST_CASE("a body whose calls cannot be told apart is refused as a whole", "[intake][segment]") {
    for (const std::string body :
         {R"({"batch":[{"type":"page","userId":"u"},{"type":"page","userId":"u})",
          R"({"batch":[{"type":"page","userId":"u"},{"type":"page","userId":"u"])",
          R"({"batch":[{"type":"page","userId":"u"}],)", R"({"batch":[{"type":"page","userId":"u"}]}})",
          R"({"context":NaN,"batch":[{"type":"page","userId":"u"}]})", R"({"batch":NaN})", R"({"batch":[)",
          "{", R"({"batch)", R"({"batch":[{"a":"\)", R"({"batch":[NaN]]})"}) {
        fixture f;
        f.post("/v1/batch", body);
        INFO(body);
        CHECK(f.res.code == http::status::bad_request);
        CHECK(f.events().empty());
        CHECK(boost::json::parse(f.res.body).at("code") == "invalid_json");
    }
}

TEST_CASE("half a surrogate pair, or a byte that is not UTF-8, becomes U+FFFD", "[intake][segment]") {
    const std::vector<std::pair<std::string, std::string>> texts{
        {R"(cut \ud83d)", R"(cut \ufffd)"},
        {R"(\uDE00 cut)", R"(\ufffd cut)"},
        {R"(\ud83d\ude00)", R"(\ud83d\ude00)"}, // a whole pair
        {R"(\ud83d\ud83d\ude00)", R"(\ufffd\ud83d\ude00)"},
        {R"(\ude00\ud83d)", R"(\ufffd\ufffd)"},
        {R"(\ud83d\u0041)", R"(\ufffd\u0041)"},
        {R"(\ud83d\n)", R"(\ufffd\n)"},
        {R"(\\ud83d\ud83d)", R"(\\ud83d\ufffd)"}, // the first is a backslash and five letters
        {"a\xff z\xc3\xa9\xc3", "a\xef\xbf\xbd z\xc3\xa9\xef\xbf\xbd"},
        {"\xed\xa0\xbd", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"}, // half a pair, encoded as if it were UTF-8
    };
    for (const auto& [sent, kept] : texts) {
        CHECK(trackd::intake::with_valid_characters(sent) == kept);
        const auto call = [](const std::string& text) {
            return R"({"type":"track","userId":"u","event":"E","properties":{"name":")" + text +
                   R"(","\ud83d":1}})";
        };
        const auto data = call(kept);
        const auto expected = data.substr(0, data.find(R"(\ud83d":1)")) + R"(\ufffd":1}})";
        fixture f;
        f.post("/v1/batch", batch_of({good, call(sent)}));
        INFO(sent);
        INFO(f.res.body);
        CHECK(f.res.body == R"({"success":true})");
        REQUIRE(f.events().size() == 2);
        CHECK(f.events()[1].data == expected);
        f.lane.events().clear();
        f.post("/v1/track", call(sent));
        CHECK(f.only_event().data == expected);
    }
}

TEST_CASE("a byte order mark does not keep a body from being repaired", "[intake][segment]") {
    fixture f;
    f.post("/v1/batch", "\xef\xbb\xbf" + batch_of({good, R"({"type":"page","userId":"\ud83d"})", "NaN"}));
    REQUIRE(f.events().size() == 2);
    CHECK(f.events()[1].subject == "\xef\xbf\xbd");
}

TEST_CASE(
    "an attribute that is too long or has control characters is cleaned, its data is not", "[intake][segment]"
) {
    const std::string long_text(1023, 'x');
    const std::vector<std::pair<std::string, std::string>> texts{
        {R"(Order\nCompleted)", "Order Completed"},
        {R"(\u0000)", " "},
        {R"(a\u001fb\tc)", "a b c"},
        {long_text + "xyz", long_text + "x"},
        {long_text + "\xc3\xa9", long_text}, // not within a character
    };
    for (const auto& [sent, attribute] : texts) {
        const auto call = R"({"type":"track","event":")" + sent + R"(","userId":")" + sent + R"("})";
        fixture f;
        f.post("/v1/batch", batch_of({good, call}));
        INFO(sent);
        CHECK(f.res.body == R"({"success":true})");
        REQUIRE(f.events().size() == 2);
        const auto e = f.events()[1];
        CHECK(e.type == attribute);
        CHECK(e.subject == attribute);
        CHECK(e.data == call);
        f.lane.events().clear();
        f.post("/v1/group", R"({"anonymousId":")" + sent + R"(","groupId":")" + sent + "\"}");
        CHECK(f.only_event().subject == attribute);
    }
}

TEST_CASE("ids that are cleaned stay different, and the same from retry to retry", "[intake][segment]") {
    const std::string long_id(2000, 'm');
    std::set<std::string> ids;
    const std::vector<std::string> sent{R"(a\tb)", R"(a\nb)", "a b", long_id, long_id + "1", long_id + "2"};
    for (const auto& id : sent) {
        const auto call = R"({"userId":"u","messageId":")" + id + "\"}";
        fixture f;
        f.post("/v1/page", call);
        f.post("/v1/page", call);
        REQUIRE(f.events().size() == 2);
        CHECK(f.events()[0].id == f.events()[1].id);
        CHECK(f.events()[0].id.size() <= trackd::max_attribute_bytes);
        ids.insert(f.events()[0].id);
    }
    CHECK(ids.size() == sent.size());
    CHECK(trackd::intake::cleaned_id(long_id).size() == trackd::max_attribute_bytes);
}

TEST_CASE("a key in a body with an odd call is found", "[intake][segment]") {
    trackd::intake::segment_reader reader{{}};
    std::string found;
    const body sent{R"({"batch":[{"type":"page","userId":"\ud83d"},NaN],"writeKey":"k"})"};
    CHECK_FALSE(reader.find_write_key(sent.text(), found));
    CHECK(found == "k");
}

TEST_CASE("a batch with more calls than are allowed is not repaired", "[intake][segment]") {
    fixture f;
    std::string body = R"({"batch":[NaN)";
    for (int i = 0; i < 10'000; ++i)
        body.append(",").append(good);
    f.post("/v1/batch", body + "]}");
    CHECK(f.res.code == http::status::bad_request);
    CHECK(f.events().empty());
}
