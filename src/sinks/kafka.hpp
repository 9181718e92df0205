// A sink that produces events to Kafka, by librdkafka.
#pragma once

#include "sinks/kafka_message.hpp"

#include <trackd/sink.hpp>

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace trackd::sinks {

struct kafka_options {
    std::vector<std::string> brokers{}; ///< each `HOST:PORT`
    std::string topic{};                ///< may hold `{type}` and `{source}`
    kafka_key key = kafka_key::source;
    kafka_format format = kafka_format::binary;
    std::string compression = "none"; ///< as librdkafka calls it
    std::chrono::milliseconds timeout{30'000
    }; ///< how long nothing may be confirmed, before a write has failed
    std::map<std::string, std::string, std::less<>> properties{
    }; ///< of librdkafka; not those that are set here
};

/// An idempotent producer with acks from all replicas. A write produces all its events and waits for their reports; what
/// it confirms is in the topic. Events of one key stay in order, repeats left out of account.
///
/// After a write of which anything failed, or was not waited for, the producer is given up with all that it still
/// holds, and the next write makes a new one: nothing of the old one can come late, in between. Events that were
/// stored nevertheless are there twice then.
///
/// librdkafka's threads live from `open` to `close`, and its lines go to the daemon's log.
[[nodiscard]] std::unique_ptr<sink> make_kafka_sink(kafka_options options);

} // namespace trackd::sinks
