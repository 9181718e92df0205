#include "endpoint_fixture.hpp"
#include "intake/native_endpoint.hpp"

using namespace reading;

namespace {

using fixture = endpoint_fixture<trackd::intake::native_endpoint>;

constexpr std::string_view parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const std::string as_member = "\"traceparent\":\"" + std::string{parent} + '"';

} // namespace

TEST_CASE("the trace of the request becomes an extension of every event", "[intake][trace]") {
    fixture f;
    f.header("Traceparent", parent);
    f.post(
        "/events", R"([{"a":1},{"data":2},{"specversion":"1.0","id":"i","source":"/s","type":"t","x":"y"}])"
    );
    const auto events = f.events();
    REQUIRE(events.size() == 3);
    CHECK(events[0].extensions == '{' + as_member + '}');
    CHECK(events[1].extensions == '{' + as_member + '}');
    CHECK(events[2].extensions == '{' + as_member + R"(,"x":"y"})");
}

TEST_CASE("an opaque body and the binary mode get the trace, too", "[intake][trace]") {
    fixture f;
    f.header("traceparent", parent);
    f.post("/events", "just text");
    for (const auto& [name, value] :
         {std::pair{"ce-specversion", "1.0"}, {"ce-id", "i"}, {"ce-source", "/s"}, {"ce-type", "t"}})
        f.header(name, value);
    f.post("/events", "just text");
    for (const auto& e : f.events())
        CHECK(e.extensions == '{' + as_member + '}');
}

TEST_CASE("an event with a trace of its own keeps it, and gets no other's state", "[intake][trace]") {
    fixture f;
    f.header("traceparent", parent);
    f.header("tracestate", "a=1");
    f.post("/events", R"({"specversion":"1.0","id":"i","source":"/s","type":"t","traceparent":"own"})");
    CHECK(f.only_event().extensions == R"({"traceparent":"own"})");
}

TEST_CASE("a value that only mentions a trace is none", "[intake][trace]") {
    fixture f;
    f.header("traceparent", parent);
    f.post(
        "/events",
        R"({"specversion":"1.0","id":"i","source":"/s","type":"t","x":"\"traceparent\":","y":"traceparent"})"
    );
    CHECK(f.only_event().extensions == '{' + as_member + R"(,"x":"\"traceparent\":","y":"traceparent"})");
}

TEST_CASE("the states of a trace come together", "[intake][trace]") {
    fixture f;
    f.header("traceparent", parent);
    f.header("tracestate", "a=1");
    f.header("tracestate", "b=\"2\"");
    f.post("/events", "{}");
    CHECK(f.only_event().extensions == '{' + as_member + R"(,"tracestate":"a=1,b=\"2\""})");
}

TEST_CASE("a trace that is none is ignored with its state", "[intake][trace]") {
    for (const auto* wrong :
         {"", "00", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0",
          "00-0AF7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
          "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
          "00-00000000000000000000000000000000-b7ad6b7169203331-01",
          "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
          "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
          "00_0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}) {
        fixture f;
        f.header("traceparent", wrong);
        f.header("tracestate", "a=1");
        f.post("/events", "{}");
        INFO(wrong);
        CHECK(f.only_event().extensions.empty());
    }
}

TEST_CASE("a trace of a later version may have more parts", "[intake][trace]") {
    fixture f;
    f.header("traceparent", "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more");
    f.post("/events", "{}");
    CHECK(f.only_event().extensions.find("-01-more\"") != std::string::npos);
}
