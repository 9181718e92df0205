// What the errors of brokers and of librdkafka mean for the events of a write.
#pragma once

#include <librdkafka/rdkafka.h>
#include <string>

namespace trackd::sinks {

/// Whether the error can be about the events, so that fewer may pass. A hint: a destination can have the same error for
/// every event, as a topic that is compacted has for those without a key.
///
/// | error | about |
/// |---|---|
/// | MSG_SIZE_TOO_LARGE | the event, or a batch that is larger than the topic allows |
/// | INVALID_RECORD | the event; all of them, for a compacted topic and `key = "none"` |
/// | INVALID_TIMESTAMP | the time that the sink chose for the message: never the event |
/// | INVALID_MSG (CORRUPT_MESSAGE) | the connection, or a broker's disk |
/// | UNKNOWN_TOPIC_OR_PART, TOPIC_EXCEPTION, POLICY_VIOLATION | the topic |
/// | authorisation, authentication | the credentials |
/// | UNSUPPORTED_FOR_MESSAGE_FORMAT, UNSUPPORTED_COMPRESSION_TYPE, INVALID_REQUIRED_ACKS | the configuration |
/// | everything else | the brokers and the connections to them |
[[nodiscard]] bool is_about_events(rd_kafka_resp_err_t failure) noexcept;

/// What happened, and what an operator can do.
[[nodiscard]] std::string kafka_advice(rd_kafka_resp_err_t failure);

} // namespace trackd::sinks
