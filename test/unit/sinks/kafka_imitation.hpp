// librdkafka's own imitation of a cluster, which fails on demand, and a sink for it.
#pragma once

#include "base/log.hpp"
#include "helpers.hpp"
#include "sinks/kafka.hpp"

#include <cstdint>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace trackd::test {

struct stored {
    std::string key;
    std::optional<std::string> value; // none: null
    wall_time time;
};

using kafka_properties = std::map<std::string, std::string, std::less<>>;

inline constexpr std::int16_t produce_request = 0;

// One broker with a topic `events` of one partition.
class imitation {
public:
    imitation() {
        auto* const how = rd_kafka_conf_new();
        rd_kafka_conf_set(how, "log_level", "0", nullptr, 0);
        client_ = rd_kafka_new(RD_KAFKA_PRODUCER, how, nullptr, 0);
        if (client_ == nullptr) throw std::runtime_error{"no client of librdkafka"};
        cluster_ = rd_kafka_mock_cluster_new(client_, 1);
        rd_kafka_mock_topic_create(cluster_, "events", 1, 1);
    }

    ~imitation() {
        rd_kafka_mock_cluster_destroy(cluster_);
        rd_kafka_destroy(client_);
    }

    imitation(const imitation&) = delete;
    imitation& operator=(const imitation&) = delete;

    // The next requests to produce are answered so, one after the other.
    void answer(const std::vector<rd_kafka_resp_err_t>& errors) {
        rd_kafka_mock_push_request_errors_array(cluster_, produce_request, errors.size(), errors.data());
    }

    void go_down() { rd_kafka_mock_broker_set_down(cluster_, 1); }

    void come_up() { rd_kafka_mock_broker_set_up(cluster_, 1); }

    void set_topic_error(rd_kafka_resp_err_t error) {
        rd_kafka_mock_topic_set_error(cluster_, "events", error);
    }

    [[nodiscard]] std::string address() const { return rd_kafka_mock_cluster_bootstraps(cluster_); }

    [[nodiscard]] std::vector<std::string> stored_ids() const {
        std::vector<std::string> all;
        for (const auto& message : messages())
            all.push_back(message.key);
        return all;
    }

    // What is in the topic, in its order.
    [[nodiscard]] std::vector<stored> messages() const {
        auto* const how = rd_kafka_conf_new();
        rd_kafka_conf_set(how, "bootstrap.servers", address().c_str(), nullptr, 0);
        rd_kafka_conf_set(how, "enable.partition.eof", "true", nullptr, 0);
        auto* const consumer = rd_kafka_new(RD_KAFKA_CONSUMER, how, nullptr, 0);
        auto* const topic = rd_kafka_topic_new(consumer, "events", nullptr);
        rd_kafka_consume_start(topic, 0, RD_KAFKA_OFFSET_BEGINNING);
        std::vector<stored> all;
        for (bool ended = false; !ended;) {
            auto* const message = rd_kafka_consume(topic, 0, 60'000);
            if (message == nullptr) throw std::runtime_error{"the topic cannot be read"};
            ended = message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF;
            if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
                auto& [key, value, time] = all.emplace_back();
                time = wall_time{std::chrono::milliseconds{rd_kafka_message_timestamp(message, nullptr)}};
                key.assign(static_cast<const char*>(message->key), message->key_len);
                if (message->payload) value.emplace(static_cast<const char*>(message->payload), message->len);
            }
            rd_kafka_message_destroy(message);
        }
        rd_kafka_consume_stop(topic, 0);
        rd_kafka_topic_destroy(topic);
        rd_kafka_destroy(consumer);
        return all;
    }

private:
    rd_kafka_t* client_ = nullptr;
    rd_kafka_mock_cluster_t* cluster_ = nullptr;
};

inline sinks::kafka_options options_for(const imitation& cluster, kafka_properties further = {}) {
    sinks::kafka_options options;
    options.brokers = {cluster.address()};
    options.topic = "events";
    options.key = sinks::kafka_key::id;
    options.properties = std::move(further);
    return options;
}

inline std::unique_ptr<sink> open_kafka(sinks::kafka_options options) {
    auto made = sinks::make_kafka_sink(std::move(options), base::log());
    made->open();
    return made;
}

} // namespace trackd::test
