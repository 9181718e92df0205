#include "intake/event_reader.hpp"

#include "intake/all_or_nothing.hpp"
#include "intake/text.hpp"

#include <algorithm>
#include <utility>

namespace trackd::intake {

namespace {

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
    return refusal{
        refusal_kind::batch_too_large,
        "the batch has more than " + std::to_string(most) +
            " events; send it in several requests. Nothing was stored",
        limit::max_batch_events
    };
}

std::string expected_in(body_format format) {
    switch (format) {
    case body_format::cloudevent: return "an object, which is one CloudEvent";
    case body_format::cloudevents_batch: return "an array of CloudEvents";
    default: return "an object or an array of objects";
    }
}

event_view event_at(wall_time received_at) noexcept {
    event_view event;
    event.time = received_at;
    return event;
}

// As many as the processor's cache holds together with what is found in them, but one at least.
std::string_view first_lines(std::string_view text) noexcept {
    constexpr std::size_t enough = std::size_t{64} * 1024;
    if (text.size() <= enough) return text;
    const auto last = text.rfind('\n', enough - 1);
    const auto end = last != std::string_view::npos ? last : text.find('\n', enough);
    return text.substr(0, end == std::string_view::npos ? end : end + 1);
}

bool has_line_end(std::string_view text) noexcept {
    return text.find('\n') != std::string_view::npos;
}

constexpr std::string_view advice_on_many =
    "; many events are an array, or objects one behind the other, one a line as application/x-ndjson";

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
        case body_format::json_data:
        case body_format::opaque: return read_data(facts, event_at(facts.received_at), body, is, out);
        default: return read_json(facts, body, is.format, out);
        }
    }();
    if (!refused) appended.keep();
    release();
    return refused;
}

std::optional<refusal>
event_reader::read_as_data(const request_facts& facts, event_view event, std::string_view body, batch& out) {
    body_description is;
    if (auto refused = describe_data(facts.content_type, body, is)) return refused;
    if (body.empty()) {
        event.datacontenttype = facts.content_type;
        return completion_.append(event, facts, std::nullopt, out);
    }
    auto refused = read_data(facts, event, body, is, out);
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
        if (format == body_format::json && fault->after_value) return read_sequence(facts, body, *fault, out);
        return invalid_json(*fault, body);
    }

    objects_.begin(text);
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
    if (index == 0 && !rules.cloudevents_only) // a batch of CloudEvents may have none
        return refuse(refusal_kind::empty_body, "the array is empty; expected at least one event");
    return std::nullopt;
}

// Objects one behind the other, with or without blanks between them, as some shippers of logs send them.
std::optional<refusal> event_reader::read_sequence(
    const request_facts& facts, std::string_view body, const json_fault& after_first, batch& out
) {
    const auto text = without_byte_order_mark(body);
    if (trimmed(text).front() != '{' || body[after_first.offset] != '{') {
        auto refused = invalid_json(after_first, body);
        refused.detail += advice_on_many;
        return refused;
    }
    const auto start = out.end_mark();
    const auto count = document_.parse_all(text);
    if (count > 0 && count <= options_.max_batch_events && read_objects(facts, text, {0, count}, out))
        return std::nullopt;
    out.truncate(start);
    std::size_t index = 0;
    auto refused = read_one_by_one(facts, body, body.size() - text.size(), index, out);
    if (refused && refused->kind == refusal_kind::batch_too_large) return refused;
    return within(element(index), std::move(refused));
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
    std::size_t index = 0;
    while (!text.empty()) {
        const auto lines = first_lines(text);
        text.remove_prefix(lines.size());
        if (lines.find_first_not_of(json_blanks) == std::string_view::npos) continue;
        const auto count = document_.parse_all(lines);
        if (count == 0 || index + count > options_.max_batch_events) return false;
        if (!read_objects(facts, lines, {index, count, true}, out)) return false;
        index += count;
    }
    return index > 0;
}

bool event_reader::read_objects(
    const request_facts& facts, std::string_view text, found_objects found, batch& out
) {
    objects_.begin(text);
    auto at = document_.root();
    for (std::size_t i = 0; i < found.count; ++i) {
        const auto begin = at.offset();
        if (at.kind() != json_kind::object) return false;
        if (read_object(facts, {facts.path_type}, at, found.first + i, out)) return false;
        if (found.within_lines && has_line_end(text.substr(begin, at.end_of_closed() - begin))) return false;
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
        auto refused = read_one_by_one(facts, line, 0, index, out);
        if (refused && refused->kind == refusal_kind::batch_too_large) return refused;
        if (refused) return within("line " + std::to_string(number), std::move(refused));
    }
    if (index == 0)
        return refuse(refusal_kind::empty_body, "all lines are blank; expected at least one JSON object");
    return std::nullopt;
}

// In time that grows with the text, however many objects there are: each of them is looked at alone.
std::optional<refusal> event_reader::read_one_by_one(
    const request_facts& facts, std::string_view text, std::size_t begin, std::size_t& index, batch& out
) {
    for (bool more = true; more; ++index) {
        if (index == options_.max_batch_events) return too_many(options_.max_batch_events);
        auto fault = find_json_fault(text.substr(begin));
        more = fault && fault->after_value;
        const auto object = text.substr(begin, more ? fault->offset : std::string_view::npos);
        if (more || !fault) fault = document_.parse(object);
        if (fault) {
            fault->offset += begin;
            return invalid_json(*fault, text);
        }
        auto at = document_.root();
        if (at.kind() != json_kind::object)
            return refuse(
                refusal_kind::invalid_event,
                "the value is " + std::string{with_article(at.kind())} + "; expected an object"
            );
        objects_.begin(object);
        if (auto refused = read_object(facts, {facts.path_type}, at, index, out)) return refused;
        begin += object.size();
    }
    return std::nullopt;
}

std::optional<refusal> event_reader::read_object(
    const request_facts& facts, json_event_rules rules, json_cursor& at, std::optional<std::size_t> index,
    batch& out
) {
    auto event = event_at(facts.received_at);
    if (auto refused = objects_.read(at, rules, event)) return refused;
    return completion_.append(event, facts, index, out);
}

std::optional<refusal> event_reader::read_data(
    const request_facts& facts, event_view event, std::string_view body, const body_description& is,
    batch& out
) {
    event.datacontenttype = is.datacontenttype;
    event.data = body;
    event.kind = kind_of(body);
    if (is.format == body_format::json_data) {
        if (auto refused = check_json_data(body, is.datacontenttype)) return refused;
        event.data = trimmed(without_byte_order_mark(body));
        event.kind = data_kind::json;
    }
    return completion_.append(event, facts, std::nullopt, out);
}

std::optional<refusal>
event_reader::check_json_data(std::string_view body, std::string_view datacontenttype) {
    const auto text = without_byte_order_mark(body);
    auto fault = document_.parse(text);
    if (!fault) return std::nullopt;
    fault->offset += body.size() - text.size();
    return within("the data is not " + quoted(datacontenttype), invalid_json(*fault, body));
}

void event_reader::release() {
    document_.release();
    objects_.release();
}

} // namespace trackd::intake
