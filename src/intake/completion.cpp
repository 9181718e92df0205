#include "intake/completion.hpp"

#include "base/json_text.hpp"
#include "intake/text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

namespace trackd::intake {

namespace {

/// The id of an event that has none of its own, where the request has a key.
class keyed_id {
public:
    std::string_view of(std::string_view key, std::optional<std::size_t> index) noexcept {
        if (!index) return key;
        char* at = std::copy(key.begin(), key.end(), text_.data());
        *at++ = '-';
        at = std::to_chars(at, text_.data() + text_.size(), *index).ptr;
        return {text_.data(), static_cast<std::size_t>(at - text_.data())};
    }

private:
    static constexpr std::size_t index_bytes = 1 + std::numeric_limits<std::size_t>::digits10 + 1;
    std::array<char, max_idempotency_key_bytes + index_bytes> text_;
};

std::size_t bytes_of(const event_view& event) noexcept {
    return event.id.size() + event.source.size() + event.type.size() + event.subject.size() +
           event.datacontenttype.size() + event.extensions.size() + event.data.size();
}

} // namespace

std::optional<refusal> event_completion::append(
    event_view& event, const request_facts& facts, std::optional<std::size_t> index, batch& out
) {
    keyed_id keyed;
    if (event.id.empty() && !facts.idempotency_key.empty()) {
        event.id = keyed.of(facts.idempotency_key, index);
    } else if (event.id.empty()) {
        event.id = ids_.next(facts.received_at);
    }
    if (event.source.empty())
        event.source = facts.source.empty() ? std::string_view{options_.default_source} : facts.source;
    if (event.type.empty()) event.type = facts.path_type.empty() ? "event" : facts.path_type;
    event.received_at = facts.received_at;
    if (!facts.traceparent.empty() || facts.client != nullptr) add_extensions(event, facts);

    if (const auto bytes = bytes_of(event); bytes > options_.max_event_bytes)
        return refusal{
            refusal_kind::event_too_large,
            "the event has " + std::to_string(bytes) + " bytes of data and attributes; expected at most " +
                std::to_string(options_.max_event_bytes),
            limit::max_event_bytes
        };
    out.append(event);
    return std::nullopt;
}

// What an event says itself wins; of its trace as a whole, as the state of one trace says nothing about another.
void event_completion::add_extensions(event_view& event, const request_facts& facts) {
    extensions_ = "{";
    const auto add = [&](std::string_view name, std::string_view value) {
        if (value.empty() || has_extension(event.extensions, name)) return;
        if (extensions_.size() > 1) extensions_ += ',';
        extensions_.append("\"").append(name).append("\":");
        base::append_json_string(extensions_, value);
    };
    if (!has_extension(event.extensions, "traceparent")) {
        add("traceparent", facts.traceparent);
        add("tracestate", facts.tracestate);
    }
    if (facts.client != nullptr) {
        add("clientip", facts.client->address);
        add("useragent", facts.client->user_agent);
    }
    if (extensions_.size() == 1) return;
    if (event.extensions.empty())
        extensions_ += '}';
    else
        extensions_.append(",").append(event.extensions.substr(1));
    event.extensions = extensions_;
}

} // namespace trackd::intake
