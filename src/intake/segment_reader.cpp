#include "intake/segment_reader.hpp"

#include "base/iso8601.hpp"
#include "intake/all_or_nothing.hpp"
#include "intake/attribute_cleaning.hpp"
#include "intake/decode.hpp"
#include "intake/json_body.hpp"
#include "intake/text.hpp"

#include <algorithm>
#include <functional>
#include <utility>

namespace trackd::intake {

namespace {

constexpr std::size_t usual_bytes = 512UL * 1024UL;
constexpr std::size_t usual_members = 4096;

constexpr std::array<std::string_view, 8> kind_names{
    "track", "identify", "page", "screen", "group", "alias", "merge", "audiencelist",
};

std::optional<refusal> refuse(refusal_kind kind, std::string detail) {
    return refusal{kind, std::move(detail)};
}

std::optional<refusal> refuse_call(std::string detail) {
    return refuse(refusal_kind::invalid_event, std::move(detail));
}

std::string is(std::string_view name, std::string_view value) {
    return quoted(name) + " is " + std::string{with_article(json_kind_at(value.front()))};
}

/// What every time must be within, because it is written with four digits for its year.
bool can_be_written(wall_time time) noexcept {
    using namespace std::chrono;
    return time >= sys_days{year{0} / 1 / 1} && time < sys_days{year{10'000} / 1 / 1};
}

bool names_its_user(segment_kind kind) noexcept {
    return kind != segment_kind::merge && kind != segment_kind::audiencelist;
}

} // namespace

std::string_view to_string(segment_kind kind) noexcept {
    return kind_names[static_cast<std::size_t>(kind)];
}

std::optional<segment_kind> segment_kind_named(std::string_view name) noexcept {
    const auto* const found = std::ranges::find(kind_names, name);
    if (found == kind_names.end()) return std::nullopt;
    return static_cast<segment_kind>(found - kind_names.begin());
}

const std::array<std::string_view, segment_reader::known_count> segment_reader::known_names{
    "type",        "event",     "userId",
    "anonymousId", "groupId",   "previousId",
    "messageId",   "timestamp", "originalTimestamp",
    "sentAt",      "context",   "integrations",
    "writeKey",    "batch",
};

segment_reader::segment_reader(event_reader_options options, std::shared_ptr<client_clocks> clocks)
    : options_{std::move(options)},
      clocks_{clocks ? std::move(clocks) : std::make_shared<client_clocks>(system_clock())} {}

std::optional<refusal> segment_reader::find_write_key(std::string_view body, std::string& found) {
    found.clear();
    if (auto refused = parse(body)) return refused;
    auto at = document_.root();
    body_.collect(at);
    found = string_in(body_.given[write_key]);
    if (found.empty() && body_.given[batch_items].starts_with('[')) {
        auto item = *body_.places[batch_items];
        for (bool more = item.enter(); more && found.empty(); more = item.next()) {
            if (item.kind() == json_kind::object) {
                call_.collect(item);
                found = string_in(call_.given[write_key]);
            } else {
                static_cast<void>(item.value()); // will be refused
            }
        }
    }
    release();
    return std::nullopt;
}

std::optional<refusal>
segment_reader::read_call(const request_facts& facts, segment_kind kind, std::string_view body, batch& out) {
    if (auto refused = parse(body)) return refused;
    auto at = document_.root();
    call_.collect(at);
    body_.given.fill({}); // there is nothing around the call
    sent_at_of_body_.reset();
    auto refused = append(facts, kind, std::nullopt, out);
    release();
    return refused;
}

std::optional<refusal>
segment_reader::read_batch(const request_facts& facts, std::string_view body, batch& out) {
    if (auto refused = parse(body)) return refused;
    auto at = document_.root();
    body_.collect(at);
    sent_at_of_body_ = time_in(body_.given[sent_at]);
    all_or_nothing appended{out};
    auto refused = read_items(facts, out);
    if (refused && refused->kind == refusal_kind::batch_too_large)
        rejected_.clear(); // nothing was read to the end
    if (!refused) appended.keep();
    release();
    return refused;
}

std::optional<refusal> segment_reader::parse(std::string_view body) {
    merged_bytes_ = 0;
    rejected_.clear();
    sender_.reset();
    repair_.clear(usual_bytes);
    auto refused = parse_object(body, document_);
    if (refused && refused->kind == refusal_kind::invalid_json &&
        repair_.repair(body, options_.max_batch_events, document_)) {
        body = repair_.text();
        refused.reset();
    }
    if (refused)
        release();
    else
        scratch_.prepare(2 * body.size());
    return refused;
}

std::optional<refusal> segment_reader::read_items(const request_facts& facts, batch& out) {
    if (!body_.has(batch_items)) return refuse_call("\"batch\" is missing; expected an array of calls");
    if (!body_.given[batch_items].starts_with('['))
        return refuse_call(is("batch", body_.given[batch_items]) + "; expected an array of calls");

    auto at = *body_.places[batch_items];
    std::size_t index = 0;
    for (bool more = at.enter(); more; more = at.next(), ++index) {
        if (index == options_.max_batch_events)
            return refusal{
                refusal_kind::batch_too_large,
                "the batch has more than " + std::to_string(options_.max_batch_events) +
                    " calls; send it in several requests. Nothing was stored",
                limit::max_batch_events
            };
        auto refused = read_item(facts, at, index, out);
        if (refused && refused->kind == refusal_kind::batch_too_large) return refused;
        if (refused) rejected_.add(index, std::move(*refused));
    }
    if (index == 0)
        return refuse(refusal_kind::empty_batch, "\"batch\" is empty; expected at least one call");
    if (rejected_.size() < index) return std::nullopt;
    auto reason = rejected_.calls().front().reason;
    reason.detail = describe(rejected_.calls().front());
    return reason;
}

std::optional<refusal>
segment_reader::read_item(const request_facts& facts, json_cursor& at, std::size_t index, batch& out) {
    if (at.kind() != json_kind::object) {
        const auto kind = at.kind();
        static_cast<void>(at.value());
        const auto& broken = repair_.broken_calls();
        const auto found = std::ranges::lower_bound(broken, index, {}, &broken_call::index);
        if (found != broken.end() && found->index == index) return found->reason;
        return refuse_call("the call is " + std::string{with_article(kind)} + "; expected an object");
    }
    call_.collect(at);
    std::optional<segment_kind> kind;
    if (auto refused = read_kind(kind)) return refused;
    return append(facts, *kind, index, out);
}

std::optional<refusal> segment_reader::append(
    const request_facts& facts, segment_kind kind, std::optional<std::size_t> index, batch& out
) {
    event_view event;
    if (auto refused = read_attributes(kind, event)) return refused;
    event.time = time_of_call(facts);
    event.datacontenttype = "application/json";
    event.data = data_of(kind, index.has_value());
    event.kind = data_kind::json;
    if (merged_bytes_ > max_merged_bytes)
        return refuse(
            refusal_kind::batch_too_large,
            "with \"context\" and \"integrations\" of the body in each call, the batch has more than " +
                std::to_string(max_merged_bytes) + " bytes; send it in several requests. Nothing was stored"
        );
    return completion_.append(event, facts, index, out);
}

std::optional<refusal> segment_reader::read_kind(std::optional<segment_kind>& kind) {
    constexpr std::string_view expected = "expected track, identify, page, screen, group or alias";
    if (!call_.has(type)) return refuse_call("\"type\" is missing; " + std::string{expected});
    const auto name = string_in(call_.given[type]);
    kind = segment_kind_named(name);
    if (kind) return std::nullopt;
    if (!call_.given[type].starts_with('"'))
        return refuse_call(is("type", call_.given[type]) + "; " + std::string{expected});
    return refuse_call("\"type\" is " + quoted(name) + "; " + std::string{expected});
}

std::optional<refusal> segment_reader::read_attributes(segment_kind kind, event_view& event) {
    if (auto refused = read_text(message_id, event.id)) return refused;

    std::string_view anonymous;
    if (auto refused = read_name(user_id, event.subject)) return refused;
    if (auto refused = read_name(anonymous_id, anonymous)) return refused;
    if (event.subject.empty()) event.subject = anonymous;
    if (event.subject.empty() && names_its_user(kind))
        return refuse(
            refusal_kind::no_user, "\"userId\" and \"anonymousId\" are missing; expected one of them at least"
        );

    const auto require = [this](known which, std::string_view& text) {
        auto refused = which == event_name ? read_text(which, text) : read_name(which, text);
        if (!refused && text.empty())
            return refuse_call(quoted(known_names[which]) + " is missing; this kind of call must have it");
        return refused;
    };
    std::string_view unused;
    event.type = to_string(kind);
    switch (kind) {
    case segment_kind::track: return require(event_name, event.type = {});
    case segment_kind::group: return require(group_id, unused);
    case segment_kind::alias: return require(previous_id, unused);
    default: return std::nullopt;
    }
}

// Some clients write the name of a user as a number.
std::optional<refusal> segment_reader::read_name(known which, std::string_view& text) {
    const auto value = call_.given[which];
    if (!value.empty() && json_kind_at(value.front()) == json_kind::number &&
        value.size() <= max_attribute_bytes) {
        text = value;
        return std::nullopt;
    }
    return read_text(which, text);
}

// An empty one is not there. One that cannot be an attribute as it came is no reason to lose the call, whose data
// keeps it.
std::optional<refusal> segment_reader::read_text(known which, std::string_view& text) {
    if (!call_.has(which)) return std::nullopt;
    const auto value = call_.given[which];
    if (!value.starts_with('"')) return refuse_call(is(known_names[which], value) + "; expected a string");
    text = string_in(value);
    if (text.empty()) return std::nullopt;
    if (!attribute_fault(text)) return std::nullopt;
    cleaned_[which] = which == message_id ? cleaned_id(text) : cleaned_attribute(text);
    text = cleaned_[which];
    return std::nullopt;
}

// A time that cannot be read is left aside: no reason to lose the call, which keeps it in its data.
wall_time segment_reader::time_of_call(const request_facts& facts) {
    auto sent = time_in(call_.given[sent_at]);
    if (!sent) sent = sent_at_of_body_;
    if (!sent) sent = base::parse_iso8601(sent_at_of_header_);
    auto said = time_in(call_.given[original_timestamp]);
    if (!said) said = time_in(call_.given[timestamp]);
    if (!said) said = sent; // which a retry does not change
    if (!said) return facts.received_at;
    if (sent) *said += clocks_->correct(sender_of(facts), facts.received_at - *sent);
    return can_be_written(*said) ? *said : facts.received_at;
}

// The library that the body or its first call names, the key, and the User-Agent.
std::uint64_t segment_reader::sender_of(const request_facts& facts) {
    if (sender_) return *sender_;
    std::string sender{facts.source};
    sender.append("\n").append(user_agent_);
    for (const auto* named : {&body_, &call_}) {
        if (!named->has_object(context)) continue;
        auto at = *named->places[context];
        for (bool more = at.enter(); more; more = at.next()) {
            const bool is_library = at.name() == "library";
            const auto value = at.value();
            if (is_library) sender.append("\n").append(value);
        }
    }
    return sender_.emplace(std::hash<std::string>{}(sender));
}

std::optional<wall_time> segment_reader::time_in(std::string_view value) {
    return value.starts_with('"') ? base::parse_iso8601(string_in(value)) : std::nullopt;
}

// As it came, unless the path says another kind, or the batch has something to add.
std::string_view segment_reader::data_of(segment_kind kind, bool in_batch) {
    const bool wrong_type = !in_batch && call_.has(type) && string_in(call_.given[type]) != to_string(kind);
    const bool merges = body_.has_object(context) || body_.has_object(integrations);
    if (!wrong_type && !merges) return call_.text;

    data_ = "{";
    if (wrong_type) append_member("type", '"' + std::string{to_string(kind)} + '"');
    for (const auto which : {context, integrations})
        if (body_.has_object(which)) append_merged(which);
    for (const auto& one : call_.members) {
        const bool written =
            (one.which == type && wrong_type) ||
            ((one.which == context || one.which == integrations) && body_.has_object(one.which));
        if (!written) append_member(one.name, one.value);
    }
    data_ += '}';
    merged_bytes_ += data_.size();
    return data_;
}

void segment_reader::append_member(std::string_view name, std::string_view value) {
    if (!data_.ends_with('{')) data_ += ',';
    data_.append("\"").append(name).append("\":").append(value);
}

// The members of the body's object that the call's has not, and then the call's.
void segment_reader::append_merged(known which) {
    const auto members_of = [](const object& of, known of_which) {
        std::vector<std::pair<std::string_view, std::string_view>> members;
        if (!of.has_object(of_which)) return members;
        auto at = *of.places[of_which];
        for (bool more = at.enter(); more; more = at.next()) {
            const auto name = at.name();
            members.emplace_back(name, at.value());
        }
        return members;
    };
    const auto own = members_of(call_, which);
    std::vector<std::string_view> names;
    for (const auto& [name, value] : own)
        names.push_back(name);
    std::ranges::sort(names);
    append_member(known_names[which], "{");
    for (const auto& [name, value] : members_of(body_, which))
        if (!std::ranges::binary_search(names, name)) append_member(name, value);
    for (const auto& [name, value] : own)
        append_member(name, value);
    data_ += '}';
}

// To be called once a value and text: that is what there is room for.
std::string_view segment_reader::string_in(std::string_view value) {
    if (!value.starts_with('"')) return {};
    const auto escaped = value.substr(1, value.size() - 2);
    if (escaped.find('\\') == std::string_view::npos) return escaped;
    char* const out = scratch_.next();
    const auto size = unescape_json(escaped, out);
    scratch_.keep(size);
    return {out, size};
}

void segment_reader::release() {
    document_.release();
    scratch_.release(usual_bytes);
    repair_.clear(usual_bytes);
    if (data_.capacity() > usual_bytes) std::string{}.swap(data_);
    for (auto* one : {&body_, &call_})
        if (one->members.capacity() > usual_members) std::vector<member>{}.swap(one->members);
}

// Of two members with the same name the last one counts, as with most readers of JSON.
void segment_reader::object::collect(json_cursor& at) {
    const auto begin = at.offset();
    members.clear();
    given.fill({});
    places.fill(std::nullopt);
    for (bool more = at.enter(); more; more = at.next()) {
        const auto name = at.name();
        const auto place = at;
        const auto value = at.value();
        const auto* const found = std::ranges::find(known_names, name);
        const auto which = static_cast<known>(found - known_names.begin());
        members.push_back({name, value, which});
        if (which == known_count) continue;
        given[which] = value;
        places[which] = place;
    }
    text = at.bytes(begin, at.end_of_closed());
}

} // namespace trackd::intake
