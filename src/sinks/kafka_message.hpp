// Events as messages, by the Kafka protocol binding of CloudEvents 1.0.
#pragma once

#include "base/sink_choices.hpp"

#include <trackd/event.hpp>

#include <simdjson.h>

#include <chrono>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace trackd::sinks {

using base::kafka_format;
using base::kafka_key;

struct kafka_header {
    std::string_view name;
    std::string_view value;
};

struct kafka_message {
    std::string_view topic;
    std::optional<std::string_view> key;   ///< none: Kafka's null
    std::optional<std::string_view> value; ///< none: Kafka's null
    std::vector<kafka_header> headers;
    std::chrono::milliseconds timestamp{}; ///< since 1970
};

/// Which topic an event belongs to.
class kafka_topic {
public:
    /// @param text the name, in which `{type}` and `{source}` stand for the event's
    /// @throws std::runtime_error if no topic can be named so
    explicit kafka_topic(std::string_view text);

    /// What Kafka allows in no name becomes `_`, and what is too long is cut off at its end.
    /// @return valid until the next call
    [[nodiscard]] std::string_view of(const event_view& event);

private:
    enum class piece { text, type, source };

    struct part {
        piece what;
        std::string text;
    };

    std::vector<part> parts_;
    std::string name_;
};

/// The message's key; the views are the event's.
/// @return none: Kafka's null
[[nodiscard]] std::optional<std::string_view> kafka_key_of(const event_view& event, kafka_key key);

/// Makes messages, one at a time, in memory that it keeps.
class kafka_message_writer {
public:
    /// @throws std::runtime_error if no topic can be named so
    kafka_message_writer(std::string_view topic, kafka_key key, kafka_format format);

    /// @param time the message's, which no client can choose
    /// @return valid until the next call, and as long as the event
    [[nodiscard]] const kafka_message& write(const event_view& event, wall_time time);

private:
    void write_headers(const event_view& event);
    void add_extensions(std::string_view object);
    std::string_view keep(std::string text);
    std::string_view time_text(wall_time time);

    kafka_topic topic_;
    kafka_key key_;
    kafka_format format_;
    kafka_message message_;
    std::string json_;
    std::deque<std::string> kept_; // what headers refer to
    simdjson::dom::parser parser_;
};

} // namespace trackd::sinks
