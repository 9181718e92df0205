#include "backlog/batch_queue.hpp"

#include "backlog/chunk_filling.hpp"

#include <algorithm>
#include <utility>

namespace trackd {

namespace {

// What one read has taken so far.
struct reading {
    chunk found;
    std::size_t bytes = 0;
    position below;
    read_limits limits;

    [[nodiscard]] bool is_over() const noexcept {
        return found.end() >= below || is_full(found, bytes, limits);
    }

    void take(const std::shared_ptr<const batch>& events, position first) {
        auto at = events->begin();
        for (; first < found.first; ++first)
            ++at;
        for (; at != events->end() && !is_over(); ++at) {
            bytes += at.encoded_bytes();
            found.events.push_back(*at);
        }
        found.owners.push_back(events);
    }
};

} // namespace

std::shared_ptr<const batch> batch_queue::append(batch events) {
    if (events.empty()) return nullptr;
    auto shared = std::make_shared<const batch>(std::move(events));
    batches_.push_back({end_, end_offset_, shared});
    end_ += shared->events();
    end_offset_ += shared->bytes();
    bytes_ += shared->bytes();
    return shared;
}

chunk batch_queue::read(position from, position below, read_limits limits) const {
    reading now{{}, 0, below, limits};
    now.found.first = from;
    reserve_events(now.found, below, limits);
    for (auto at = holding(from); at != batches_.end() && !now.is_over(); ++at)
        now.take(at->events, at->first);
    return std::move(now.found);
}

batch::mark batch_queue::size(position from, position to) const {
    batch::mark total;
    for (auto at = holding(from); at != batches_.end() && at->first < to; ++at) {
        total.bytes += at->events->bytes();
        total.events += at->events->events();
    }
    return total;
}

batch::mark batch_queue::drop_below(position below) {
    batch::mark dropped;
    while (!batches_.empty() && batches_.front().end() <= below) {
        const auto one = drop_front();
        dropped.bytes += one.bytes;
        dropped.events += one.events;
    }
    return dropped;
}

batch::mark batch_queue::drop_from(position from) {
    batch::mark dropped;
    while (!batches_.empty() && batches_.back().first >= from) {
        dropped.bytes += batches_.back().events->bytes();
        dropped.events += batches_.back().events->events();
        end_ = batches_.back().first;
        end_offset_ = batches_.back().offset;
        batches_.pop_back();
    }
    bytes_ -= dropped.bytes;
    return dropped;
}

void batch_queue::shrink_to(std::size_t bytes, position below) {
    while (bytes_ > bytes && !batches_.empty() && batches_.front().end() <= below)
        drop_front();
}

std::uint64_t batch_queue::offset(position at) const {
    const auto in = holding(at);
    if (in == batches_.end()) return end_offset_;
    auto bytes = in->offset;
    auto event = in->events->begin();
    for (auto before = in->first; before < at; ++before, ++event)
        bytes += event.encoded_bytes();
    return bytes;
}

std::deque<batch_queue::entry>::const_iterator batch_queue::holding(position from) const {
    return std::partition_point(batches_.begin(), batches_.end(), [from](const entry& e) {
        return e.end() <= from;
    });
}

batch::mark batch_queue::drop_front() {
    const auto& oldest = *batches_.front().events;
    const batch::mark dropped{oldest.bytes(), oldest.events()};
    bytes_ -= dropped.bytes;
    batches_.pop_front();
    return dropped;
}

} // namespace trackd
