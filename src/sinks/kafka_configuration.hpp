// The properties of librdkafka that the options of a kafka sink stand for, and the client that is made of them.
#pragma once

#include "sinks/kafka.hpp"

#include <cstddef>
#include <librdkafka/rdkafka.h>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace trackd::sinks {

constexpr std::size_t longest_kafka_error = 512; // of librdkafka's texts

using kafka_configuration = std::unique_ptr<rd_kafka_conf_t, decltype(&rd_kafka_conf_destroy)>;
using kafka_client = std::unique_ptr<rd_kafka_t, decltype(&rd_kafka_destroy)>;

/// With commas between them.
[[nodiscard]] std::string joined(const std::vector<std::string>& texts);

/// @throws std::runtime_error naming the property that cannot be set
[[nodiscard]] kafka_configuration make_kafka_configuration(const kafka_options& options);

/// Its threads connect to the brokers.
/// @throws std::runtime_error if the properties do not go together
[[nodiscard]] kafka_client make_kafka_client(kafka_configuration configuration);

/// Finds out whether a client can be made, by one without brokers, which connects to nothing.
/// @throws as the two above
void check_kafka_client(const kafka_options& options);

} // namespace trackd::sinks
