#include "intake/event_reader.hpp"

#include "intake/text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <utility>

namespace trackd::intake {

namespace {

/// Takes back what was appended since, unless it is kept.
class all_or_nothing {
public:
    explicit all_or_nothing(batch& events) noexcept : events_{events}, start_{events.end_mark()} {}

    ~all_or_nothing() {
        if (!kept_) events_.truncate(start_);
    }

    all_or_nothing(const all_or_nothing&) = delete;
    all_or_nothing& operator=(const all_or_nothing&) = delete;

    void keep() noexcept { kept_ = true; }

private:
    batch& events_;
    batch::mark start_;
    bool kept_ = false;
};

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
    std::array<char, event_reader::max_idempotency_key_bytes + index_bytes> text_;
};

std::optional<refusal> refuse(refusal_kind kind, std::string detail) {
    return refusal{kind, std::move(detail)};
}

std::optional<refusal> within(std::string place, std::optional<refusal> refused) {
    if (refused) refused->detail = std::move(place) + ": " + refused->detail;
    return refused;
}

std::string element(std::size_t index) {
    return "event [" + std::to_string(index) + ']';
}

std::optional<refusal> too_many(std::size_t most) {
    return refuse(
        refusal_kind::batch_too_large, "the batch has more than " + std::to_string(most) +
                                           " events; send it in several requests. Nothing was stored"
    );
}

std::string expected_in(body_format format) {
    switch (format) {
    case body_format::cloudevent: return "an object, which is one CloudEvent";
    case body_format::cloudevents_batch: return "an array of CloudEvents";
    default: return "an object or an array of objects";
    }
}

bool has_line_end(std::string_view text) noexcept {
    return text.find('\n') != std::string_view::npos;
}

std::size_t bytes_of(const event_view& event) noexcept {
    return event.id.size() + event.source.size() + event.type.size() + event.subject.size() +
           event.datacontenttype.size() + event.extensions.size() + event.data.size();
}

} // namespace

event_reader::event_reader(event_reader_options options) : options_{std::move(options)} {}

std::optional<refusal> event_reader::read(const request_facts& facts, std::string_view body, batch& out) {
    if (body.empty())
        return refuse(refusal_kind::empty_body, "the body is empty; expected at least one event");
    body_description is;
    if (auto refused = describe_body(facts.content_type, body, is)) return refused;

    all_or_nothing appended{out};
    auto refused = [&] {
        switch (is.format) {
        case body_format::ndjson: return read_lines(facts, body, out);
        case body_format::json_data: return read_json_data(facts, body, is.datacontenttype, out);
        case body_format::opaque: return read_opaque(facts, body, is.datacontenttype, out);
        default: return read_json(facts, body, is.format, out);
        }
    }();
    if (!refused) appended.keep();
    release();
    return refused;
}

std::optional<refusal>
event_reader::read_json(const request_facts& facts, std::string_view body, body_format format, batch& out) {
    const auto text = without_byte_order_mark(body);
    if (auto fault = document_.parse(text)) {
        if (trimmed(text).empty())
            return refuse(refusal_kind::empty_body, "the body is blank; expected a JSON object or array");
        fault->offset += body.size() - text.size();
        return refuse(refusal_kind::invalid_json, "invalid JSON at " + describe(*fault, body));
    }

    objects_.begin(text.size());
    auto at = document_.root();
    const json_event_rules rules{facts.path_type, format != body_format::json};
    if (at.kind() == json_kind::object && format != body_format::cloudevents_batch)
        return read_object(facts, rules, at, std::nullopt, out);
    if (at.kind() == json_kind::array && format != body_format::cloudevent)
        return read_array(facts, rules, at, out);

    return refuse(
        refusal_kind::unexpected_json,
        "the body is " + std::string{with_article(at.kind())} + "; expected " + expected_in(format)
    );
}

std::optional<refusal>
event_reader::read_array(const request_facts& facts, json_event_rules rules, json_cursor at, batch& out) {
    std::size_t index = 0;
    for (bool more = at.enter(); more; more = at.next(), ++index) {
        if (index == options_.max_batch_events) return too_many(options_.max_batch_events);
        if (at.kind() != json_kind::object)
            return refuse(
                refusal_kind::invalid_event,
                element(index) + " is " + std::string{with_article(at.kind())} + "; expected an object"
            );
        if (auto refused = read_object(facts, rules, at, index, out))
            return within(element(index), std::move(refused));
    }
    if (index == 0)
        return refuse(refusal_kind::empty_body, "the array is empty; expected at least one event");
    return std::nullopt;
}

std::optional<refusal>
event_reader::read_lines(const request_facts& facts, std::string_view body, batch& out) {
    const auto text = without_byte_order_mark(body);
    const auto start = out.end_mark();
    if (read_lines_at_once(facts, text, out)) return std::nullopt;
    out.truncate(start);
    return read_lines_one_by_one(facts, text, out); // which says what is wrong, if anything is
}

// The quick way, for bodies with nothing wrong about them. A line's end cannot stand within a JSON string: so
// an object without one is within a line.
bool event_reader::read_lines_at_once(const request_facts& facts, std::string_view text, batch& out) {
    const auto count = document_.parse_all(text);
    if (count == 0 || count > options_.max_batch_events) return false;

    objects_.begin(text.size());
    auto at = document_.root();
    std::size_t end = 0;
    for (std::size_t index = 0; index < count; ++index) {
        const auto begin = at.offset();
        if (at.kind() != json_kind::object) return false;
        if (index > 0 && !has_line_end(text.substr(end, begin - end))) return false;
        if (read_object(facts, {facts.path_type}, at, index, out)) return false;
        end = at.end_of_closed();
        if (has_line_end(text.substr(begin, end - begin))) return false;
    }
    return true;
}

std::optional<refusal>
event_reader::read_lines_one_by_one(const request_facts& facts, std::string_view text, batch& out) {
    std::size_t index = 0;
    for (std::size_t number = 1; !text.empty(); ++number) {
        const auto line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(line.size() + 1, text.size()));
        if (line.find_first_not_of(json_blanks) == std::string_view::npos) continue;
        if (index == options_.max_batch_events) return too_many(options_.max_batch_events);
        if (auto refused = read_line(facts, line, index, out))
            return within("line " + std::to_string(number), std::move(refused));
        ++index;
    }
    if (index == 0)
        return refuse(refusal_kind::empty_body, "all lines are blank; expected at least one JSON object");
    return std::nullopt;
}

std::optional<refusal>
event_reader::read_line(const request_facts& facts, std::string_view line, std::size_t index, batch& out) {
    if (const auto fault = document_.parse(line))
        return refuse(refusal_kind::invalid_json, "invalid JSON at " + describe(*fault, line));
    auto at = document_.root();
    if (at.kind() != json_kind::object)
        return refuse(
            refusal_kind::invalid_event,
            "the line is " + std::string{with_article(at.kind())} + "; expected an object"
        );
    objects_.begin(line.size());
    return read_object(facts, {facts.path_type}, at, index, out);
}

std::optional<refusal> event_reader::read_object(
    const request_facts& facts, json_event_rules rules, json_cursor& at, std::optional<std::size_t> index,
    batch& out
) {
    event_view event;
    event.time = facts.received_at;
    if (auto refused = objects_.read(at, rules, event)) return refused;
    return append(event, facts, index, out);
}

std::optional<refusal> event_reader::read_json_data(
    const request_facts& facts, std::string_view body, std::string_view datacontenttype, batch& out
) {
    const auto text = without_byte_order_mark(body);
    if (auto fault = document_.parse(text)) {
        fault->offset += body.size() - text.size();
        return refuse(
            refusal_kind::invalid_json,
            "the data is not " + quoted(datacontenttype) + ": invalid JSON at " + describe(*fault, body)
        );
    }
    event_view event;
    event.time = facts.received_at;
    event.type = facts.path_type;
    event.datacontenttype = datacontenttype;
    event.data = trimmed(text);
    event.kind = data_kind::json;
    return append(event, facts, std::nullopt, out);
}

std::optional<refusal> event_reader::read_opaque(
    const request_facts& facts, std::string_view body, std::string_view datacontenttype, batch& out
) {
    event_view event;
    event.time = facts.received_at;
    event.type = facts.path_type;
    event.datacontenttype = datacontenttype;
    event.data = body;
    event.kind = kind_of(body);
    return append(event, facts, std::nullopt, out);
}

// Fills in what the client left out.
std::optional<refusal> event_reader::append(
    event_view& event, const request_facts& facts, std::optional<std::size_t> index, batch& out
) {
    keyed_id keyed;
    std::array<char, 36> generated;
    if (event.id.empty() && !facts.idempotency_key.empty()) {
        event.id = keyed.of(facts.idempotency_key, index);
    } else if (event.id.empty()) {
        generated = ids_.next(facts.received_at);
        event.id = {generated.data(), generated.size()};
    }
    if (event.source.empty())
        event.source = facts.source.empty() ? std::string_view{options_.default_source} : facts.source;
    if (event.type.empty()) event.type = facts.path_type.empty() ? "event" : facts.path_type;
    event.received_at = facts.received_at;

    if (const auto bytes = bytes_of(event); bytes > options_.max_event_bytes)
        return refuse(
            refusal_kind::event_too_large, "the event has " + std::to_string(bytes) +
                                               " bytes of data and attributes; expected at most " +
                                               std::to_string(options_.max_event_bytes)
        );
    out.append(event);
    return std::nullopt;
}

void event_reader::release() {
    document_.release();
    objects_.release();
}

} // namespace trackd::intake
