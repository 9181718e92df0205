#include "admin/tail.hpp"

#include "base/json_text.hpp"
#include "base/rfc3339.hpp"
#include "base/utf8.hpp"
#include "http/query.hpp"

#include <algorithm>
#include <charconv>
#include <stdexcept>
#include <utility>
#include <vector>

namespace trackd::admin {

namespace {

void add_words(std::vector<std::string>& to, std::string_view list) {
    for (;;) {
        const auto word = list.substr(0, list.find(','));
        if (!word.empty()) to.emplace_back(word);
        if (word.size() == list.size()) return;
        list.remove_prefix(word.size() + 1);
    }
}

std::size_t parse_rate(const std::string& text) {
    std::size_t rate = 0;
    const auto* end = text.data() + text.size();
    const auto [stopped, failure] = std::from_chars(text.data(), end, rate);
    if (failure == std::errc{} && stopped == end && rate >= 1 && rate <= max_tail_rate) return rate;
    throw std::invalid_argument{
        "\"rate\" is \"" + text + "\"; expected events a second: a whole number, 1 to " +
        std::to_string(max_tail_rate)
    };
}

// Walks along a batch, and says who sent each event.
class sender_finder {
public:
    explicit sender_finder(const std::vector<sent_events>& senders) noexcept
        : at_{senders.begin()}, end_{senders.end()} {}

    [[nodiscard]] std::string_view next() noexcept {
        if (at_ == end_) return {};
        const std::string_view sender = at_->sender;
        if (++used_ == at_->events) {
            ++at_;
            used_ = 0;
        }
        return sender;
    }

private:
    std::vector<sent_events>::const_iterator at_;
    std::vector<sent_events>::const_iterator end_;
    std::size_t used_ = 0;
};

} // namespace

tail_options parse_tail_query(std::string_view query) {
    tail_options options;
    std::vector<std::string> types;
    std::vector<std::string> sources;
    std::vector<std::string> keys;
    for (const auto& [name, value] : http::parse_query(query)) {
        if (name == "type")
            add_words(types, value);
        else if (name == "source")
            add_words(sources, value);
        else if (name == "key")
            add_words(keys, value);
        else if (name == "rate")
            options.rate = parse_rate(value);
        else
            throw std::invalid_argument{
                "\"" + name + "\" is not known; expected \"type\", \"source\", \"key\" or \"rate\""
            };
    }
    options.wanted = {patterns{types}, patterns{sources}};
    options.keys = patterns{keys};
    return options;
}

tail::tail(tail_options options, time_point now)
    : options_{std::move(options)}, credit_{static_cast<double>(options_.rate)}, credited_at_{now},
      said_at_{now} {
    waiting_ = "retry: 2000\n\n"; // so that a browser comes back soon after a restart
}

void tail::show(const shown_batch& shown, time_point now) {
    if (ended_) return;
    const auto rate = static_cast<double>(options_.rate);
    const std::chrono::duration<double> passed = now - std::exchange(credited_at_, now);
    credit_ = std::min(rate, credit_ + rate * passed.count());
    sender_finder senders{shown.senders};
    auto left = shown.events->events();
    for (const auto event : *shown.events) {
        if (credit_ < 1 || !has_room()) return skip(left);
        --left;
        const auto sender = senders.next();
        if (!options_.wanted.wants(event) || !options_.keys.wants(sender)) continue;
        credit_ -= 1;
        waiting_ += "data: ";
        append_tail_event(waiting_, event, sender, options_.max_data);
        waiting_ += "\n\n";
        said_at_ = now;
    }
}

void tail::tick(time_point now) {
    if (ended_ || !has_room()) return;
    if (skipped_ > 0) {
        say_skipped();
        said_at_ = now;
    } else if (now - said_at_ >= heartbeat) {
        waiting_ += ": still here\n\n";
        said_at_ = now;
    }
}

void tail::say_skipped() {
    waiting_ += "event: skipped\ndata: {\"events\":" + std::to_string(std::exchange(skipped_, 0)) + "}\n\n";
}

void tail::end(std::string_view reason) {
    if (std::exchange(ended_, true)) return;
    if (skipped_ > 0) say_skipped();
    waiting_ += "event: end\ndata: {\"reason\":";
    base::append_json_string(waiting_, reason);
    waiting_ += "}\n\n";
}

void tail::take(std::string& out) {
    out += waiting_;
    waiting_.clear();
}

void append_tail_event(
    std::string& out, const event_view& event, std::string_view sender, std::size_t max_data
) {
    const auto add = [&out](std::string_view before, std::string_view text) {
        out += before;
        base::append_json_string(out, text);
    };
    const auto add_time = [&out](std::string_view before, wall_time time) {
        out += before;
        base::append_rfc3339(out, time);
        out += '"';
    };
    add(R"({"id":)", event.id);
    add(R"(,"source":)", event.source);
    add(R"(,"type":)", event.type);
    add_time(R"(,"time":")", event.time);
    add_time(R"(,"receivedat":")", event.received_at);
    if (!event.subject.empty()) add(R"(,"subject":)", event.subject);
    if (!sender.empty()) add(R"(,"key":)", sender);
    auto shown = event;
    if (event.data.size() > max_data) {
        if (event.kind == data_kind::json) shown.kind = data_kind::text; // it is whole no more
        shown.data = event.kind == data_kind::binary ? event.data.substr(0, max_data)
                                                     : base::whole_characters(event.data, max_data);
        out += R"(,"cut":true,"data_bytes":)" + std::to_string(event.data.size());
    }
    base::append_data_member(out, shown);
    out += '}';
}

} // namespace trackd::admin
