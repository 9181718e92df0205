// What events are told of the client that sent them.
#include "endpoint_fixture.hpp"
#include "intake/client_record.hpp"
#include "intake/native_endpoint.hpp"
#include "intake/pixel_endpoint.hpp"
#include "intake/segment_endpoint.hpp"

#include <optional>
#include <string>

using namespace reading;
using namespace trackd::intake;

namespace {

std::string address(std::string_view text, client_detail detail) {
    return written_address(*http::parse_address(text), detail);
}

std::string products(std::string_view text) {
    return written_user_agent(text, client_detail::truncated);
}

/// One way in, with a client at 192.0.2.77.
template <class Endpoint>
struct fixture {
    explicit fixture(client_detail detail)
        : endpoint{lane, decoder, counts, {.default_source = "s", .record_client = detail}} {
        endpoint.add_routes(router);
        req.client = &client;
        req.received_at = arrival;
        req.headers.push_back({http::field::user_agent, "User-Agent", "curl/8.5.0"});
    }

    std::vector<std::string>
    extensions_of(http::verb method, std::string_view target, std::string_view text) {
        const body sent{text};
        req.method = method;
        req.path = target.substr(0, target.find('?'));
        req.query = target.substr(std::min(req.path.size() + 1, target.size()));
        req.body = sent.text();
        REQUIRE_FALSE(router.route(req, res));
        std::vector<std::string> all;
        for (const auto event : lane.events())
            all.emplace_back(event.extensions);
        return all;
    }

    http::client_address client = *http::parse_address("192.0.2.77");
    fake_lane lane;
    body_decoder decoder{{}};
    counters counts;
    Endpoint endpoint;
    http::router router;
    http::request req;
    http::response res;
};

const std::string in_full = R"("clientip":"192.0.2.77","useragent":"curl/8.5.0")";

} // namespace

TEST_CASE("an address is written in full, or as its network", "[intake][client]") {
    CHECK(address("192.0.2.77", client_detail::full) == "192.0.2.77");
    CHECK(address("192.0.2.77", client_detail::truncated) == "192.0.2.0");
    CHECK(address("2001:db8:1:2:3:4:5:6", client_detail::full) == "2001:db8:1:2:3:4:5:6");
    CHECK(address("2001:db8:1:2:3:4:5:6", client_detail::truncated) == "2001:db8:1::");
    CHECK(address("::ffff:192.0.2.77", client_detail::truncated) == "192.0.2.0");
}

TEST_CASE("a truncated user agent is its products with their major versions", "[intake][client]") {
    CHECK(
        products("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 "
                 "Safari/537.36") == "Mozilla/5 AppleWebKit/537 Chrome/130 Safari/537"
    );
    CHECK(products("Mobile/15E148 Version/17.5 beta device-4711 x/y /1 app/") == "Mobile/15 Version/17");
    CHECK(products("a/1(b (c) d)e/2 (f) g/3(") == "a/1 e/2 g/3");
    CHECK(products("(never closed a/1") == "");
    CHECK(products("a/1)b/2\tc/3") == "a/1 c/3");
    CHECK(products("") == "");
}

TEST_CASE("a user agent is text of a bounded size without control characters", "[intake][client]") {
    const auto full = [](std::string_view text) { return written_user_agent(text, client_detail::full); };
    CHECK(full("tab\there") == "tab here");
    CHECK(full("\xff\xfe") == "");
    CHECK(products("a/1 \xff") == "");
    CHECK(full(std::string(2000, 'x')).size() == 512);
    const auto cut = full(std::string(511, 'x') + "\xc3\xa9");
    CHECK(cut == std::string(511, 'x'));
    CHECK(
        full(
            std::string(510, 'x') + "\xc3\xa9"
                                    "z"
        ) == std::string(510, 'x') + "\xc3\xa9"
    );
}

TEST_CASE("every format tells its events of their client", "[intake][client]") {
    using strings = std::vector<std::string>;
    fixture<native_endpoint> native{client_detail::full};
    CHECK(
        native.extensions_of(
            http::verb::post, "/events",
            R"([{"a":1},{"data":1},)"
            R"({"specversion":"1.0","id":"i","source":"/s","type":"t","x":"y"}])"
        ) == strings{"{" + in_full + "}", "{" + in_full + "}", "{" + in_full + R"(,"x":"y"})"}
    );
    fixture<segment_endpoint> segment{client_detail::full};
    segment.extensions_of(
        http::verb::post, "/v1/batch", R"({"batch":[{"type":"track","userId":"u","event":"e"}]})"
    );
    segment.extensions_of(http::verb::post, "/v1/page", R"({"userId":"u"})");
    CHECK(
        segment.extensions_of(http::verb::get, "/v1/pixel/track?userId=u&event=e", "") ==
        strings(3, "{" + in_full + "}")
    );
    fixture<pixel_endpoint> pixel{client_detail::full};
    CHECK(pixel.extensions_of(http::verb::get, "/pixel.gif?a=b", "") == strings{"{" + in_full + "}"});
}

TEST_CASE("an opaque body and the binary mode are told of their client, too", "[intake][client]") {
    fixture<native_endpoint> f{client_detail::truncated};
    f.req.headers.push_back({http::field::content_type, "Content-Type", "text/plain"});
    f.extensions_of(http::verb::post, "/events", "just text");
    for (const auto& [name, value] :
         {std::pair{"ce-specversion", "1.0"}, {"ce-id", "i"}, {"ce-source", "/s"}, {"ce-type", "t"}})
        f.req.headers.push_back({http::field::unknown, name, value});
    CHECK(
        f.extensions_of(http::verb::post, "/events", "just text") ==
        std::vector<std::string>(2, R"({"clientip":"192.0.2.0","useragent":"curl/8"})")
    );
}

TEST_CASE("an event keeps what it says of its client itself", "[intake][client]") {
    fixture<native_endpoint> f{client_detail::full};
    const std::string own = R"({"specversion":"1.0","id":"i","source":"/s","type":"t","clientip":"own"})";
    CHECK(
        f.extensions_of(http::verb::post, "/events", own).at(0) ==
        R"({"useragent":"curl/8.5.0","clientip":"own"})"
    );
}

TEST_CASE("a client without an address or a user agent has none recorded", "[intake][client]") {
    fixture<native_endpoint> f{client_detail::full};
    f.req.client = nullptr;
    CHECK(f.extensions_of(http::verb::post, "/events", "{}").at(0) == R"({"useragent":"curl/8.5.0"})");
    f.req.headers.clear();
    CHECK(f.extensions_of(http::verb::post, "/events", "{}").at(1).empty());
}

TEST_CASE("nothing of the client is recorded unless it is asked for", "[intake][client]") {
    fixture<native_endpoint> f{client_detail::none};
    CHECK(f.extensions_of(http::verb::post, "/events", "{}").at(0).empty());
}

TEST_CASE("the trace and the client stand side by side", "[intake][client]") {
    fixture<native_endpoint> f{client_detail::full};
    const std::string parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    f.req.headers.push_back({http::field::unknown, "traceparent", parent});
    f.req.headers.push_back({http::field::unknown, "tracestate", "a=1"});
    CHECK(
        f.extensions_of(http::verb::post, "/events", "{}").at(0) ==
        R"({"traceparent":")" + parent + R"(","tracestate":"a=1",)" + in_full + "}"
    );
    CHECK(
        f.extensions_of(
             http::verb::post, "/events",
             R"({"specversion":"1.0","id":"i","source":"/s","type":"t","traceparent":"own"})"
        )
            .at(1) == "{" + in_full + R"(,"traceparent":"own"})"
    );
}
