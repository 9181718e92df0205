#include "reading.hpp"

#include <set>

using namespace reading;
using namespace std::chrono_literals;

TEST_CASE("an object with data and no specversion is our short form", "[intake][short_form]") {
    const auto e = read_one(
        R"({"id":"i","source":"/s","type":"t","time":"2026-11-21T00:00:00.5Z","subject":"sub","data": {"a" : 1} })"
    );
    CHECK(e.id == "i");
    CHECK(e.source == "/s");
    CHECK(e.type == "t");
    CHECK(e.subject == "sub");
    CHECK(e.time == std::chrono::sys_days{std::chrono::year{2026} / 11 / 21} + 500ms);
    CHECK(e.datacontenttype == "application/json");
    CHECK(e.data == R"({"a" : 1})");
    CHECK(e.kind == data_kind::json);
}

TEST_CASE("what the short form leaves out is filled in", "[intake][short_form]") {
    const auto e = read_one(R"({"data":1})");
    CHECK(e.id.size() == 36);
    CHECK(e.id[14] == '7');
    CHECK(e.source == "the-default");
    CHECK(e.type == "event");
    CHECK(e.time == arrival);
    CHECK(e.received_at == arrival);
    CHECK(e.subject.empty());
}

TEST_CASE("each event without an id gets one of its own", "[intake][short_form]") {
    const auto result = read(R"([{"data":1},{"data":2},{"data":3}])");
    std::set<std::string> ids;
    for (const auto& e : result.events)
        ids.insert(e.id);
    CHECK(ids.size() == 3);
}

TEST_CASE("with any other member beside data the object is plain data", "[intake][short_form]") {
    for (const std::string object :
         {R"({"data":1,"user":7})", R"({"dataschema":"x","data":1})", R"({"data":1,"data_base64":"Zg=="})",
          R"({"":1,"data":1})", R"({"data":1,"Type":"t"})",
          R"({"id":"","time":"whenever","data":1,"x":null})", R"({"id":1,"id":2,"data":1,"data":2,"x":3})"}) {
        const auto e = read_one(object);
        CHECK(e.data == object);
        CHECK(e.type == "event");
        CHECK(e.id.size() == 36);
        CHECK(e.time == arrival);
    }
}

TEST_CASE("the objects of webhooks are plain data, and their type is the event's", "[intake][short_form]") {
    const std::string stripe =
        R"({"id":"evt_1","object":"event","type":"charge.succeeded","created":1,"data":{"object":{}}})";
    const std::string svix = R"({"data":{"id":"u"},"object":"event","type":"user.created","timestamp":1})";
    const std::string event_grid =
        R"({"id":"e","subject":"/s","data":{},"eventType":"t","eventTime":"2026-01-01T00:00:00Z","dataVersion":"1"})";
    CHECK(read_one(stripe).type == "charge.succeeded");
    CHECK(read_one(stripe).data == stripe);
    CHECK(read_one(svix).type == "user.created");
    CHECK(read('[' + event_grid + ',' + event_grid + ']').events.at(1).data == event_grid);
    for (const auto& object : {stripe, svix, event_grid}) {
        const auto e = read_one(object, {.path_type = "hook"});
        CHECK(e.type == "hook");
        CHECK(e.data == object);
    }
}

TEST_CASE("null in the short form is an error, except as data", "[intake][short_form]") {
    for (const std::string name : {"id", "source", "type", "time", "subject", "datacontenttype"})
        CHECK(
            says(refused("{\"" + name + "\":null,\"data\":1}"), '"' + name + "\" is null; expected a string")
        );
    const auto e = read_one(R"({"data":null})");
    CHECK(e.data == "null");
    CHECK(e.kind == data_kind::json);
}

TEST_CASE("an attribute of the short form given twice is refused by its name", "[intake][short_form]") {
    for (const std::string name : {"id", "source", "type", "time", "subject", "datacontenttype"})
        CHECK(says(
            refused("{\"" + name + "\":\"1\",\"data\":1,\"" + name + "\":\"1\"}"),
            '"' + name + "\" is given twice"
        ));
    CHECK(says(refused(R"({"data":1,"d\u0061ta":2})"), "\"data\" is given twice"));
}

TEST_CASE(
    "an attribute of the short form that cannot be one is refused by its name", "[intake][short_form]"
) {
    CHECK(says(refused(R"({"id":"","data":1})"), "\"id\" is empty; expected 1 to 1024 bytes"));
    CHECK(says(refused(R"({"id":12,"data":1})"), "\"id\" is a number; expected a string"));
    CHECK(says(refused(R"({"id":"a\nb","data":1})"), "expected no control characters"));
    CHECK(says(refused("{\"data\":1,\"type\":\"" + std::string(1025, 'x') + "\"}"), "\"type\" has 1025 bytes")
    );
    CHECK(says(refused(R"({"time":"2026-02-30T00:00:00Z","data":1})"), "\"time\" is \"2026-02-30T00:00:00Z\"")
    );
    CHECK(read_one("{\"data\":1,\"type\":\"" + std::string(1024, 'x') + "\"}").type.size() == 1024);
}

TEST_CASE("data that is not JSON is a string in the short form, too", "[intake][short_form]") {
    const auto e = read_one(R"({"datacontenttype":"text/plain","data":"a\tb"})");
    CHECK(e.data == "a\tb");
    CHECK(e.kind == data_kind::text);
    CHECK(says(
        refused(R"({"datacontenttype":"text/plain","data":1})"), "\"data\" is a number; expected a string"
    ));
}

TEST_CASE("names with escapes are the names that they stand for", "[intake][short_form]") {
    const auto e = read_one(R"({"\u0069d":"\u0069","d\u0061ta":"\u0061"})");
    CHECK(e.id == "i");
    CHECK(e.data == R"("\u0061")");
}

TEST_CASE("where the path gives the type, the short form is data alone", "[intake][short_form]") {
    const request about{.path_type = "p", .idempotency_key = "key"};
    const auto wrapped = read_one(R"({"data": {"a":1} })", about);
    CHECK(wrapped.data == R"({"a":1})");
    CHECK(wrapped.type == "p");
    for (const std::string object :
         {R"({"data":1,"type":"p"})", R"({"id":"i","data":{}})", R"({"id":"i","type":"other","data":{}})",
          R"({"data":1,"time":"whenever","subject":null})"}) {
        const auto e = read_one(object, about);
        CHECK(e.data == object);
        CHECK(e.type == "p");
        CHECK(e.id == "key");
        CHECK(e.time == arrival);
    }
    CHECK(says(refused(R"({"data":1,"data":2})", about), "\"data\" is given twice"));
}

TEST_CASE("the path gives the type where a CloudEvent has none", "[intake][short_form]") {
    CHECK(read_one(R"({"specversion":"1.0","id":"i","source":"/s"})", {.path_type = "p"}).type == "p");
    CHECK(says(
        refused(R"({"specversion":"1.0","id":"i","source":"/s","type":"t"})", {.path_type = "p"}),
        "the path says \"p\""
    ));
}
