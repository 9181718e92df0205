#include "sinks/kafka_message.hpp"

#include "base/json_text.hpp"
#include "base/rfc3339.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace trackd::sinks {

namespace {

constexpr std::size_t longest_topic = 249;

bool fits_topic(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
}

std::runtime_error bad_topic(std::string_view text, const std::string& why) {
    return std::runtime_error{
        "topic " + base::json_string(text) + ": " + why +
        "; expected letters, digits, \".\", \"_\" and \"-\", among them {type} and {source} for the event's"
    };
}

} // namespace

std::optional<std::string_view> kafka_key_of(const event_view& event, kafka_key key) {
    switch (key) {
    case kafka_key::source: return event.source;
    case kafka_key::id: return event.id;
    case kafka_key::subject: return event.subject.empty() ? std::nullopt : std::optional{event.subject};
    case kafka_key::none: return std::nullopt;
    }
    return std::nullopt;
}

kafka_topic::kafka_topic(std::string_view text) {
    auto rest = text;
    while (!rest.empty()) {
        const auto brace = std::min(rest.find('{'), rest.size());
        const auto plain = rest.substr(0, brace);
        if (!std::ranges::all_of(plain, fits_topic)) throw bad_topic(text, "Kafka takes no such name");
        if (!plain.empty()) parts_.push_back({piece::text, std::string{plain}});
        rest.remove_prefix(brace);
        if (rest.empty()) break;
        const auto reference = rest.substr(0, rest.find('}') + 1); // empty if it does not end
        if (reference != "{type}" && reference != "{source}") throw bad_topic(text, "found another {");
        parts_.push_back({reference == "{type}" ? piece::type : piece::source, {}});
        rest.remove_prefix(reference.size());
    }
    if (text.empty() || text == "." || text == ".." || text.size() > longest_topic) {
        throw bad_topic(text, "Kafka takes no such name");
    }
}

std::string_view kafka_topic::of(const event_view& event) {
    if (parts_.size() == 1 && parts_.front().what == piece::text) return parts_.front().text;
    name_.clear();
    for (const auto& [what, text] : parts_) {
        const auto given = what == piece::text ? text : what == piece::type ? event.type : event.source;
        for (const char c : given)
            name_ += fits_topic(c) ? c : '_';
    }
    if (name_.size() > longest_topic) name_.resize(longest_topic);
    if (name_ == "." || name_ == "..") std::ranges::fill(name_, '_');
    return name_;
}

kafka_message_writer::kafka_message_writer(std::string_view topic, kafka_key key, kafka_format format)
    : topic_{topic}, key_{key}, format_{format} {}

const kafka_message& kafka_message_writer::write(const event_view& event, wall_time time) {
    kept_.clear();
    message_.headers.clear();
    message_.topic = topic_.of(event);
    message_.key = kafka_key_of(event, key_);
    message_.timestamp = std::chrono::floor<std::chrono::milliseconds>(time.time_since_epoch());
    if (format_ == kafka_format::structured) {
        json_.clear();
        base::append_cloudevent(json_, event);
        message_.value = json_;
        message_.headers.push_back({"content-type", "application/cloudevents+json"});
    } else {
        message_.value = event.kind == data_kind::none ? std::nullopt : std::optional{event.data};
        write_headers(event);
    }
    return message_;
}

void kafka_message_writer::write_headers(const event_view& event) {
    auto& headers = message_.headers;
    headers.push_back({"ce_specversion", "1.0"});
    headers.push_back({"ce_id", event.id});
    headers.push_back({"ce_source", event.source});
    headers.push_back({"ce_type", event.type});
    headers.push_back({"ce_time", time_text(event.time)});
    if (!event.subject.empty()) headers.push_back({"ce_subject", event.subject});
    if (!event.extensions.empty()) add_extensions(event.extensions);
    if (std::ranges::find(headers, "ce_receivedat", &kafka_header::name) == headers.end()) {
        headers.push_back({"ce_receivedat", time_text(event.received_at)});
    }
    if (!event.datacontenttype.empty()) {
        headers.push_back({"content-type", event.datacontenttype});
    } else if (event.kind == data_kind::json) { // what its absence means only in the JSON format
        headers.push_back({"content-type", "application/json"});
    }
}

void kafka_message_writer::add_extensions(std::string_view object) {
    simdjson::dom::object members = parser_.parse(object.data(), object.size()).get_object();
    for (const auto [name, value] : members) {
        std::string_view text;
        if (value.get_string().get(text) != simdjson::SUCCESS) text = keep(simdjson::minify(value));
        message_.headers.push_back({keep("ce_" + std::string{name}), text});
    }
}

std::string_view kafka_message_writer::keep(std::string text) {
    return kept_.emplace_back(std::move(text));
}

std::string_view kafka_message_writer::time_text(wall_time time) {
    std::string text;
    base::append_rfc3339(text, time);
    return keep(std::move(text));
}

} // namespace trackd::sinks
