#include "sinks/kafka_errors.hpp"
#include "support/catch.hpp"

using namespace trackd::sinks;

TEST_CASE(
    "errors about the topic, the brokers or the sink's own choices are not about events", "[sinks][kafka]"
) {
    const auto [failure, expected] = GENERATE(
        std::pair{RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, true},
        std::pair{RD_KAFKA_RESP_ERR_INVALID_RECORD, true},
        std::pair{RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP, false},
        std::pair{RD_KAFKA_RESP_ERR_INVALID_MSG, false}, std::pair{RD_KAFKA_RESP_ERR_INVALID_MSG_SIZE, false},
        std::pair{RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, false},
        std::pair{RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC, false},
        std::pair{RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION, false},
        std::pair{RD_KAFKA_RESP_ERR_POLICY_VIOLATION, false},
        std::pair{RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, false},
        std::pair{RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED, false},
        std::pair{RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED, false},
        std::pair{RD_KAFKA_RESP_ERR_UNSUPPORTED_FOR_MESSAGE_FORMAT, false},
        std::pair{RD_KAFKA_RESP_ERR_UNSUPPORTED_COMPRESSION_TYPE, false},
        std::pair{RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS, false},
        std::pair{RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND, false},
        std::pair{RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER, false},
        std::pair{RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT, false}, std::pair{RD_KAFKA_RESP_ERR__TRANSPORT, false},
        std::pair{RD_KAFKA_RESP_ERR__MSG_TIMED_OUT, false}, std::pair{RD_KAFKA_RESP_ERR_UNKNOWN, false}
    );
    INFO(rd_kafka_err2name(failure));
    CHECK(is_about_events(failure) == expected);
    CHECK_FALSE(kafka_advice(failure).empty());
}
