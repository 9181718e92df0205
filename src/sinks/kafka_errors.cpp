#include "sinks/kafka_errors.hpp"

namespace trackd::sinks {

bool is_about_events(rd_kafka_resp_err_t failure) noexcept {
    return failure == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE || failure == RD_KAFKA_RESP_ERR_INVALID_RECORD;
}

std::string kafka_advice(rd_kafka_resp_err_t failure) {
    switch (failure) {
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
        return "there is no such topic; create it, or let the brokers do it (auto.create.topics.enable), "
               "which "
               "refuse a name that differs from another one only in \".\" and \"_\"";
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
        return "the brokers do not let this user write; expected the permission WRITE on the topic, and "
               "IDEMPOTENT_WRITE on the cluster with brokers before 2.8";
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
        return "too large a message; expected at most the topic's max.message.bytes, and the property "
               "message.max.bytes of the sink";
    case RD_KAFKA_RESP_ERR_INVALID_RECORD:
        return "the brokers refuse the message; a topic that is compacted takes none without a key";
    case RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP:
        return "the brokers refuse a message with the present time; expected this machine's clock and theirs "
               "to be "
               "right, and the topic's message.timestamp.before.max.ms and message.timestamp.after.max.ms to "
               "leave "
               "room for what they differ";
    default: return rd_kafka_err2str(failure);
    }
}

} // namespace trackd::sinks
