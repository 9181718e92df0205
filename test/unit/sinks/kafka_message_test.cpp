#include "lines.hpp"
#include "sinks/kafka_message.hpp"

using namespace trackd;
using sinks::kafka_format;
using sinks::kafka_key;
using sinks::kafka_message_writer;
using test::error_of;

namespace {

using headers = std::vector<std::pair<std::string, std::string>>;

headers headers_of(const sinks::kafka_message& message) {
    headers all;
    for (const auto& [name, value] : message.headers)
        all.emplace_back(name, value);
    return all;
}

std::string topic_of(std::string_view text, std::string_view type, std::string_view source = "shop") {
    auto event = test::make_event("1");
    event.type = type;
    event.source = source;
    return std::string{sinks::kafka_topic{text}.of(event)};
}

} // namespace

TEST_CASE("a topic's name is made of the event's type and source", "[sinks][kafka]") {
    CHECK(topic_of("events", "order") == "events");
    CHECK(topic_of("events.{type}", "order.created") == "events.order.created");
    CHECK(topic_of("{source}-{type}{type}_x", "a", "b") == "b-aa_x");
}

TEST_CASE("what no topic's name may have is replaced", "[sinks][kafka]") {
    CHECK(topic_of("e.{type}", "a b/c:ä\n{type}") == "e.a_b_c_____type_");
    CHECK(topic_of("{type}", ".") == "_");
    CHECK(topic_of("{type}", "..") == "__");
    CHECK(topic_of("{type}", "...") == "...");
    CHECK(topic_of("e.{type}", std::string(1024, 'x')) == "e." + std::string(247, 'x'));
}

TEST_CASE("a topic that nothing can be called is an error", "[sinks][kafka]") {
    CHECK(
        error_of([] { sinks::kafka_topic{"a b"}; }) ==
        "topic \"a b\": Kafka takes no such name; expected letters, digits, \".\", \"_\" and \"-\", among "
        "them {type} "
        "and {source} for the event's"
    );
    for (const auto* text : {"", ".", "..", "a}", "ä"})
        CHECK(test::contains(error_of([=] { sinks::kafka_topic{text}; }), "Kafka takes no such name"));
    for (const auto* text : {"{id}", "{type", "a{", "{}", "{{type}}"})
        CHECK(test::contains(error_of([=] { sinks::kafka_topic{text}; }), "found another {"));
    CHECK(test::contains(error_of([] { sinks::kafka_topic{std::string(250, 'x')}; }), "no such name"));
}

TEST_CASE("the key is the attribute that was chosen, or none", "[sinks][kafka]") {
    auto event = test::make_event("1");
    event.subject = "seven";
    const auto key = [&](kafka_key which) {
        return kafka_message_writer{"t", which, kafka_format::binary}.write(event, event.received_at).key;
    };
    CHECK(key(kafka_key::source) == "shop");
    CHECK(key(kafka_key::id) == "1");
    CHECK(key(kafka_key::subject) == "seven");
    CHECK(key(kafka_key::none) == std::nullopt);
    event.subject = {};
    CHECK(key(kafka_key::subject) == std::nullopt);
}

TEST_CASE("in binary mode every attribute is a header", "[sinks][kafka]") {
    auto event = test::make_event("1", "[1.50]");
    event.subject = "s";
    event.datacontenttype = "application/json; charset=utf-8";
    event.extensions = R"( {"traceparent" : "00-\"\u00e4\"", "sampledrate":3, "flag":false} )";
    kafka_message_writer writer{"t", kafka_key::none, kafka_format::binary};
    const auto& message = writer.write(event, event.received_at);
    CHECK(
        headers_of(message) ==
        headers{
            {"ce_specversion", "1.0"},
            {"ce_id", "1"},
            {"ce_source", "shop"},
            {"ce_type", "order"},
            {"ce_time", std::string{test::noon_text}},
            {"ce_subject", "s"},
            {"ce_traceparent", "00-\"ä\""},
            {"ce_sampledrate", "3"},
            {"ce_flag", "false"},
            {"ce_receivedat", std::string{test::one_text}},
            {"content-type", "application/json; charset=utf-8"},
        }
    );
    CHECK(message.value == "[1.50]");
    CHECK(
        message.timestamp ==
        std::chrono::floor<std::chrono::milliseconds>(event.received_at.time_since_epoch())
    );
}

TEST_CASE("an event's own receivedat is kept", "[sinks][kafka]") {
    auto event = test::make_event("1");
    event.extensions = R"({"receivedat":"mine"})";
    kafka_message_writer writer{"t", kafka_key::none, kafka_format::binary};
    const auto all = headers_of(writer.write(event, event.received_at));
    CHECK(std::ranges::count(all, "ce_receivedat", &headers::value_type::first) == 1);
    CHECK(std::ranges::count(all, std::pair<std::string, std::string>{"ce_receivedat", "mine"}) == 1);
}

TEST_CASE(
    "in binary mode the value is the data, byte for byte, or null where there is none", "[sinks][kafka]"
) {
    kafka_message_writer writer{"t", kafka_key::none, kafka_format::binary};
    for (const auto& event : test::tricky_events()) {
        INFO("the event with the id " << event.id);
        const auto& message = writer.write(event, event.received_at);
        CHECK(message.value.has_value() == (event.kind != data_kind::none));
        CHECK((message.value.value_or("") == event.data)); // in one, for the large one is not to be printed
        const bool typed = !event.datacontenttype.empty() || event.kind == data_kind::json;
        CHECK((message.headers.back().name == "content-type") == typed);
    }
}

TEST_CASE("in structured mode the value is the event as CloudEvents JSON", "[sinks][kafka]") {
    kafka_message_writer writer{"t", kafka_key::none, kafka_format::structured};
    for (const auto& event : test::tricky_events()) {
        const auto& message = writer.write(event, event.received_at);
        CHECK(headers_of(message) == headers{{"content-type", "application/cloudevents+json"}});
        test::check_same(boost::json::parse(message.value.value()).as_object(), event);
    }
}
