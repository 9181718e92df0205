// A sink that produces events to Kafka, by librdkafka.
#pragma once

#include "sinks/kafka_message.hpp"

#include <trackd/sink.hpp>
#include <trackd/wall_clock.hpp>

#include <spdlog/logger.h>

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
    /// As librdkafka calls it.
    std::string compression = "none";
    /// How long nothing may be confirmed, before a write has failed.
    std::chrono::milliseconds timeout{30'000};
    /// Of librdkafka, but none of those that are set here.
    std::map<std::string, std::string, std::less<>> properties{};
    wall_clock now = utc_now; ///< for messages whose time of arrival the brokers refuse
};

/// An idempotent producer with acks from all replicas. A write produces all its events and waits for their reports; what
/// it confirms is in the topic. Events of one key stay in order, repeats left out of account.
///
/// After a write of which anything failed, or was not waited for, the producer is given up with all that it still
/// holds, and the next write makes a new one, which begins with the first event that was not confirmed. What the old one
/// had sent may still be stored: it is there twice then, but in each partition both send the same events in the same order,
/// so that the first of each keep it.
///
/// A message has the time of its event's arrival, unless the brokers refuse that: then it is sent again with the present
/// time, see `kafka_timestamps`.
///
/// librdkafka's threads live from `open` to `close`, and its lines go to the daemon's log.
/// @param log outlives the sink
[[nodiscard]] std::unique_ptr<sink> make_kafka_sink(kafka_options options, spdlog::logger& log);

} // namespace trackd::sinks
