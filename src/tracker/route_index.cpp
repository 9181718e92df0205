#include "tracker/route_index.hpp"

#include <algorithm>
#include <bit>
#include <utility>

namespace trackd {

namespace {

// As `batch` encodes it.
std::size_t encoded_bytes(const event_view& event) noexcept {
    constexpr std::size_t head = 40;
    return head + event.id.size() + event.source.size() + event.type.size() + event.subject.size() +
           event.datacontenttype.size() + event.extensions.size() + event.data.size();
}

std::uint64_t count_bits(std::uint64_t word) noexcept {
    return static_cast<std::uint64_t>(std::popcount(word));
}

// The bits [from, to) of a word, with 0 <= from < to <= 64.
std::uint64_t bits_between(std::size_t from, std::size_t to) noexcept {
    return (~std::uint64_t{0} >> (64 - (to - from))) << from;
}

} // namespace

route_index::route_index(route wanted, position at, position unknown_from, position end)
    : wanted_{std::move(wanted)}, at_{at}, end_{std::max(at, end)},
      unknown_begin_{std::clamp(unknown_from, at_, end_)}, unknown_end_{end_},
      base_{at / block_events * block_events} {}

void route_index::append(position first, const batch& events) {
    auto at = first;
    for (auto event = events.begin(); event != events.end(); ++event)
        look_at(at++, *event, event.encoded_bytes());
    end_ = std::max(end_, at);
}

void route_index::add(const chunk& events) {
    const auto to = std::min(events.end(), unknown_end_);
    if (!next_unknown() || events.first > unknown_begin_ || to <= unknown_begin_) return;
    if (events.damaged > 0) return assume_wanted_below(to);
    for (; unknown_begin_ < to; ++unknown_begin_) {
        const auto& event = events.events[unknown_begin_ - events.first];
        look_at(unknown_begin_, event, encoded_bytes(event));
    }
}

void route_index::judge_again(const chunk& events) {
    if (events.damaged > 0) return;
    const auto from = std::max(events.first, at_);
    const auto to = std::min({events.end(), end_, next_unknown().value_or(end_)});
    if (from >= to) return;
    forget(from, to);
    for (auto at = from; at < to; ++at) {
        const auto& event = events.events[static_cast<std::size_t>(at - events.first)];
        look_at(at, event, encoded_bytes(event));
    }
}

void route_index::assume_wanted_below(position to) {
    unknown_begin_ = std::max(unknown_begin_, std::min(to, unknown_end_));
}

void route_index::pass_to(position to) {
    if (to <= at_) return;
    while (!blocks_.empty() && base_ + block_events <= to) {
        total_.events -= blocks_.front().unwanted.events;
        total_.bytes -= blocks_.front().unwanted.bytes;
        blocks_.pop_front();
        base_ += block_events;
    }
    if (blocks_.empty()) base_ = to / block_events * block_events;
    forget(std::max(at_, base_), to);
    at_ = to;
    end_ = std::max(end_, to);
    unknown_begin_ = std::max(unknown_begin_, to);
    unknown_end_ = std::max(unknown_end_, to);
}

void route_index::truncate(position end) {
    if (end >= end_) return;
    end = std::max(end, at_);
    forget(end, end_);
    end_ = end;
    unknown_begin_ = std::min(unknown_begin_, end);
    unknown_end_ = std::min(unknown_end_, end);
}

void route_index::set_route(route wanted, position kept_end) {
    wanted_ = std::move(wanted);
    const auto kept = std::clamp(kept_end, at_, end_);
    unknown_begin_ = next_unknown() ? std::min(unknown_begin_, kept) : kept;
    unknown_end_ = end_;
    forget(unknown_begin_, end_);
    if (wanted_.wants_all()) unknown_begin_ = unknown_end_;
}

std::optional<position> route_index::next_unknown() const noexcept {
    return unknown_begin_ < unknown_end_ ? std::optional{unknown_begin_} : std::nullopt;
}

std::uint64_t route_index::unwanted_below(position to) const noexcept {
    if (to >= end_) return total_.events;
    std::uint64_t found = 0;
    auto first = base_;
    for (const auto& each : blocks_) {
        if (first >= to) break;
        if (first + block_events <= to) {
            found += each.unwanted.events;
        } else {
            for (auto at = first; at < to; at += word_bits)
                found += count_bits(word_at(at) & bits_between(0, std::min<position>(word_bits, to - at)));
        }
        first += block_events;
    }
    return found;
}

position route_index::next_wanted(position from, position to) const noexcept {
    from = std::max(from, at_);
    while (from < to) {
        const auto in_word = from % word_bits;
        const auto length = std::min<position>(word_bits - in_word, to - from);
        const auto wanted = ~word_at(from) & bits_between(in_word, in_word + length);
        if (wanted != 0) return from - in_word + static_cast<position>(std::countr_zero(wanted));
        from += length;
    }
    return to;
}

void route_index::look_at(position at, const event_view& event, std::size_t bytes) {
    if (at < at_ || wanted_.wants(event)) return;
    const auto index = static_cast<std::size_t>((at - base_) / block_events);
    if (index >= blocks_.size()) blocks_.resize(index + 1);
    auto& holder = blocks_[index];
    if (!holder.bits) holder.bits = std::make_unique<std::array<std::uint64_t, block_words>>();
    (*holder.bits)[at % block_events / word_bits] |= std::uint64_t{1} << (at % word_bits);
    for (auto* sum : {&holder.unwanted, &total_}) {
        ++sum->events;
        sum->bytes += bytes;
    }
}

void route_index::forget(position from, position to) {
    while (from < to) {
        const auto index = static_cast<std::size_t>((from - base_) / block_events);
        if (index >= blocks_.size()) return;
        const auto block_end = base_ + (index + 1) * block_events;
        forget_in(index, from, std::min(to, block_end));
        from = block_end;
    }
}

// Bytes are kept for a block as a whole: its events take their share of them along.
void route_index::forget_in(std::size_t block_index, position from, position to) {
    auto& holder = blocks_[block_index];
    if (!holder.bits) return;
    std::uint64_t events = 0;
    while (from < to) {
        const auto in_word = from % word_bits;
        const auto length = std::min<position>(word_bits - in_word, to - from);
        auto& word = (*holder.bits)[from % block_events / word_bits];
        const auto mask = bits_between(in_word, in_word + length);
        events += count_bits(word & mask);
        word &= ~mask;
        from += length;
    }
    if (events == 0) return;
    const auto bytes = holder.unwanted.bytes / holder.unwanted.events * events;
    const auto share = events == holder.unwanted.events ? holder.unwanted.bytes : bytes;
    holder.unwanted.events -= events;
    holder.unwanted.bytes -= share;
    total_.events -= events;
    total_.bytes -= share;
    if (holder.unwanted.events == 0) holder.bits.reset();
}

std::uint64_t route_index::word_at(position at) const noexcept {
    const auto index = static_cast<std::size_t>((at - base_) / block_events);
    if (index >= blocks_.size() || !blocks_[index].bits) return 0;
    return (*blocks_[index].bits)[at % block_events / word_bits];
}

} // namespace trackd
