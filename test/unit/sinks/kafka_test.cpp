// The sink against librdkafka's own imitation of a cluster.
#include "kafka_imitation.hpp"
#include "support/captured_log.hpp"

#include <algorithm>
#include <thread>

using namespace trackd;
using namespace std::chrono_literals;
using test::contains;
using test::error_of;
using test::imitation;
using test::numbered_events;
using test::open_kafka;
using test::options_for;

namespace {

using ids = std::vector<std::string>;
using properties = test::kafka_properties;

// As a delivery does, failures included.
void write_until_all_are_there(sink& to, std::span<const event_view> events) {
    while (!events.empty()) {
        try {
            events = events.subspan(to.write(events, {}).confirmed);
        } catch (const std::runtime_error&) { // tried again
        }
    }
}

ids without_repeats(const ids& all) {
    ids first;
    for (const auto& id : all) {
        if (std::ranges::find(first, id) == first.end()) first.push_back(id);
    }
    return first;
}

} // namespace

TEST_CASE("what is confirmed is in the topic, in order", "[sinks][kafka]") {
    const imitation cluster;
    const auto sink = open_kafka(options_for(cluster));
    const numbered_events events{2000};
    CHECK(sink->write(events, {}).confirmed == 2000);
    CHECK(cluster.stored_ids() == events.ids());
    sink->close();
}

TEST_CASE("data of every kind is stored as it is, and no data as null", "[sinks][kafka]") {
    const imitation cluster;
    const auto sink = open_kafka(options_for(cluster, {{"message.max.bytes", "2000000"}}));
    const auto events = test::tricky_events();
    test::write_all(*sink, events);
    const auto found = cluster.messages();
    REQUIRE(found.size() == events.size());
    for (std::size_t i = 0; i < found.size(); ++i) {
        INFO("the event with the id " << events[i].id);
        CHECK(found[i].key == events[i].id);
        CHECK(found[i].value.has_value() == (events[i].kind != data_kind::none));
        CHECK((found[i].value.value_or("") == events[i].data)
        ); // in one, for the large one is not to be printed
    }
}

TEST_CASE("more events than librdkafka's queue holds are taken all the same", "[sinks][kafka]") {
    const imitation cluster;
    const auto sink = open_kafka(options_for(cluster, {{"queue.buffering.max.messages", "10"}}));
    const numbered_events events{300};
    CHECK(sink->write(events, {}).confirmed == 300);
    CHECK(cluster.stored_ids() == events.ids());
}

TEST_CASE(
    "brokers that do not answer fail the write, which names them, and a later one succeeds", "[sinks][kafka]"
) {
    imitation cluster;
    cluster.go_down();
    auto options = options_for(cluster);
    options.timeout = 300ms;
    const auto sink = open_kafka(options);
    const numbered_events events{10};
    const auto error = error_of([&] { sink->write(events, {}); });
    CHECK(contains(error, "kafka at \"" + cluster.address() + "\": nothing was confirmed for 300 ms"));
    cluster.come_up();
    write_until_all_are_there(*sink, events);
    CHECK(without_repeats(cluster.stored_ids()) == events.ids());
}

TEST_CASE("a write that waits for brokers ends when nobody waits for it", "[sinks][kafka]") {
    imitation cluster;
    cluster.go_down();
    const auto sink = open_kafka(options_for(cluster));
    std::stop_source stop;
    std::jthread later{[&] {
        std::this_thread::sleep_for(50ms); // so that the write has begun, mostly
        stop.request_stop();
    }};
    CHECK(sink->write(numbered_events{10}, stop.get_token()).confirmed == 0);
    sink->close();
}

TEST_CASE("a lost connection costs nothing", "[sinks][kafka]") {
    imitation cluster;
    const auto sink = open_kafka(options_for(cluster, {{"batch.num.messages", "10"}}));
    cluster.answer({RD_KAFKA_RESP_ERR_NO_ERROR, RD_KAFKA_RESP_ERR__TRANSPORT});
    const numbered_events events{100};
    CHECK(sink->write(events, {}).confirmed == 100);
    CHECK(cluster.stored_ids() == events.ids());
}

TEST_CASE("an event larger than any message is refused, by itself", "[sinks][kafka]") {
    const imitation cluster;
    const auto sink = open_kafka(options_for(cluster, {{"message.max.bytes", "1000"}}));
    const std::string large(2000, 'x');
    const std::vector events{
        test::make_event("1"), test::make_event("large", large, data_kind::text), test::make_event("3")
    };
    const auto result = sink->write(events, {});
    CHECK(result.confirmed == 1);
    CHECK(contains(result.refusal, "topic \"events\": too large a message; expected at most"));
    CHECK(sink->write(std::span{events}.subspan(2), {}).confirmed == 1);
    CHECK(cluster.stored_ids() == ids{"1", "3"});
}

TEST_CASE(
    "an event larger than any message is no refusal while brokers are down, and is one afterwards",
    "[sinks][kafka]"
) {
    imitation cluster;
    cluster.go_down();
    auto options = options_for(cluster, {{"message.max.bytes", "1000"}});
    options.timeout = 300ms;
    const auto sink = open_kafka(options);
    const std::string large(2000, 'x');
    const std::vector events{
        test::make_event("1"), test::make_event("large", large, data_kind::text), test::make_event("3")
    };
    const auto write = [&] {
        try {
            return sink->write(events, {});
        } catch (const events_refused& failure) {
            FAIL(failure.what());
        }
        return write_result{};
    };
    CHECK(contains(error_of(write), "nothing was confirmed for 300 ms"));
    cluster.come_up();
    write_result result;
    while (result.confirmed == 0) {
        try {
            result = write();
        } catch (const std::runtime_error&) { // tried again
        }
    }
    CHECK(result.confirmed == 1);
    CHECK(contains(result.refusal, "too large a message"));
}

TEST_CASE(
    "events that brokers refuse together are refused together, one alone is the culprit", "[sinks][kafka]"
) {
    const auto [answer, text] = GENERATE(
        std::pair{RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, "too large a message"},
        std::pair{RD_KAFKA_RESP_ERR_INVALID_RECORD, "the brokers refuse the message"}
    );
    imitation cluster;
    const auto sink = open_kafka(options_for(cluster));
    const numbered_events events{3};
    cluster.answer({answer});
    CHECK_THROWS_AS(sink->write(events, {}), events_refused);
    cluster.answer({answer});
    const auto result = sink->write(std::span<const event_view>{events}.first(1), {});
    CHECK(result.confirmed == 0);
    CHECK(contains(result.refusal, text));
    CHECK(sink->write(events, {}).confirmed == 3);
}

TEST_CASE(
    "events whose time the brokers refuse are sent with the present time, and said once", "[sinks][kafka]"
) {
    const test::captured_log log;
    imitation cluster;
    auto options = options_for(cluster);
    const wall_time present = test::noon + std::chrono::days{10};
    options.now = [present] { return present; };
    const auto sink = open_kafka(options);
    const numbered_events events{3}; // which arrived at noon, or an hour later
    cluster.answer({RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP});
    CHECK(sink->write(events, {}).confirmed == 3);
    CHECK(sink->write(numbered_events{1, 4}, {}).confirmed == 1); // is not tried first
    sink->close();
    CHECK(cluster.stored_ids() == ids{"1", "2", "3", "4"});
    for (const auto& message : cluster.messages())
        CHECK(message.time == std::chrono::floor<std::chrono::milliseconds>(present));
    CHECK(log.lines("have the present time instead").size() == 1);
}

TEST_CASE("brokers that refuse the present time make the write fail, and refuse no event", "[sinks][kafka]") {
    const auto count = GENERATE(std::size_t{1}, std::size_t{3});
    imitation cluster;
    const auto sink = open_kafka(options_for(cluster));
    const numbered_events events{count};
    const std::vector refused(2, RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP);
    cluster.answer(refused);
    std::string error;
    try {
        sink->write(events, {});
    } catch (const events_refused&) {
        FAIL("the events are refused");
    } catch (const std::runtime_error& failure) {
        error = failure.what();
    }
    CHECK(contains(error, "the brokers refuse a message with the present time"));
    CHECK(sink->write(events, {}).confirmed == count);
    CHECK(cluster.stored_ids() == events.ids());
}

TEST_CASE("what follows a failure is not stored before it", "[sinks][kafka]") {
    imitation cluster;
    const auto sink = open_kafka(options_for(cluster, {{"batch.num.messages", "10"}}));
    cluster.answer({RD_KAFKA_RESP_ERR_NO_ERROR, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED});
    const numbered_events events{100};
    const std::span<const event_view> all{events};
    const auto first = sink->write(all, {});
    CHECK(first.confirmed > 0);
    CHECK(first.confirmed < 100);
    write_until_all_are_there(*sink, all.subspan(first.confirmed));
    CHECK(without_repeats(cluster.stored_ids()) == events.ids());
}

TEST_CASE("a user without permission is told so", "[sinks][kafka]") {
    imitation cluster;
    const auto sink = open_kafka(options_for(cluster));
    cluster.answer({RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED});
    const auto error = error_of([&] { sink->write(numbered_events{1}, {}); });
    CHECK(contains(
        error, "topic \"events\": the brokers do not let this user write; expected the permission WRITE"
    ));
    CHECK(sink->write(numbered_events{1}, {}).confirmed == 1);
}

TEST_CASE("a topic that is not there is told, and used once it is", "[sinks][kafka]") {
    imitation cluster;
    cluster.set_topic_error(RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
    const auto sink = open_kafka(options_for(
        cluster,
        {{"topic.metadata.propagation.max.ms", "100"}, {"topic.metadata.refresh.fast.interval.ms", "50"}}
    ));
    const auto error = error_of([&] { sink->write(numbered_events{1}, {}); });
    CHECK(contains(error, "topic \"events\": there is no such topic; create it, or let the brokers do it"));
    cluster.set_topic_error(RD_KAFKA_RESP_ERR_NO_ERROR);
    CHECK(sink->write(numbered_events{1}, {}).confirmed == 1);
}

TEST_CASE("a producer that cannot go on is made anew", "[sinks][kafka]") {
    imitation cluster;
    const auto sink = open_kafka(options_for(cluster));
    const numbered_events events{10};
    cluster.answer({RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER});
    const auto error = error_of([&] { sink->write(events, {}); });
    CHECK(contains(error, "kafka at \"" + cluster.address() + "\""));
    CHECK(sink->write(events, {}).confirmed == 10);
    CHECK(cluster.stored_ids() == events.ids());
}

TEST_CASE("properties that the sink sets itself are refused, with what to do instead", "[sinks][kafka]") {
    const imitation cluster;
    const auto error = [&](const std::string& name) {
        return error_of([&] { open_kafka(options_for(cluster, {{name, "1"}})); });
    };
    CHECK(error("acks") == R"(property "acks": trackd sets it itself: it is always all)");
    CHECK(
        error("message.timeout.ms") ==
        R"(property "message.timeout.ms": trackd sets it itself: use the option timeout)"
    );
    for (const auto* name :
         {"bootstrap.servers", "metadata.broker.list", "compression.codec", "compression.type",
          "delivery.timeout.ms", "enable.idempotence", "enable.gapless.guarantee", "request.required.acks",
          "queuing.strategy", "transactional.id", "delivery.report.only.error", "log.queue",
          "enabled_events"})
        CHECK(contains(error(name), "trackd sets it itself: "));
}

TEST_CASE("what librdkafka finds wrong is told in its words", "[sinks][kafka]") {
    const imitation cluster;
    const auto error = [&](const properties& given) {
        return error_of([&] { open_kafka(options_for(cluster, given)); });
    };
    CHECK(contains(
        error({{"no.such", "1"}}), R"(property "no.such": librdkafka says "No such configuration property)"
    ));
    CHECK(contains(error({{"linger.ms", "soon"}}), R"(property "linger.ms": librdkafka says "Invalid value)")
    );
    CHECK(
        contains(error({{"security.protocol", "ssl"}, {"ssl.ca.location", "/no/such"}}), "librdkafka says \"")
    );
    CHECK(contains(error({{"dr_cb", "x"}}), R"(property "dr_cb": librdkafka says)"));
}

TEST_CASE("nothing is written once nobody waits", "[sinks][kafka]") {
    const imitation cluster;
    const auto sink = open_kafka(options_for(cluster));
    std::stop_source stop;
    stop.request_stop();
    CHECK(sink->write(numbered_events{1}, stop.get_token()).confirmed == 0);
    CHECK(cluster.stored_ids().empty());
}

TEST_CASE("events may belong to any number of topics", "[sinks][kafka]") {
    const imitation cluster;
    auto options = options_for(cluster);
    options.topic = "{type}";
    const auto sink = open_kafka(options);
    std::vector<std::string> types;
    for (int i = 0; i < 2100; ++i)
        types.push_back("type" + std::to_string(i));
    std::vector<event_view> events(types.size(), test::make_event("1"));
    for (std::size_t i = 0; i < types.size(); ++i)
        events[i].type = types[i];
    test::write_all(*sink, std::span{events}.first(1050));
    test::write_all(*sink, std::span{events}.subspan(1050));
}
