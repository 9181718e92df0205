// Batches in the order of their positions, in memory: all of the memory backlog, and the newest part of a journal.
#pragma once

#include <trackd/backlog.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>

namespace trackd {

/// A value of its owner's thread. Positions have no gaps.
class batch_queue {
public:
    explicit batch_queue(position first) noexcept : end_{first} {}

    /// @return what was appended, for those who need it beside the queue; null if there was nothing in it
    std::shared_ptr<const batch> append(batch events);

    /// What was appended last; null if the queue is empty.
    [[nodiscard]] std::shared_ptr<const batch> newest() const {
        return batches_.empty() ? nullptr : batches_.back().events;
    }

    /// Events from `from` on, which must lie in the queue, and below `below`.
    [[nodiscard]] chunk read(position from, position below, read_limits limits) const;

    /// How much the whole batches take that begin in [from, to).
    [[nodiscard]] batch::mark size(position from, position to) const;

    /// How much the events in [from, to) take, of those that lie in the queue.
    [[nodiscard]] std::uint64_t bytes_between(position from, position to) const {
        return offset(to) - offset(from);
    }

    /// Forgets the whole batches that lie below.
    /// @return how much that was
    batch::mark drop_below(position below);

    /// Forgets the newest batches, from `from` on, where a batch must begin: they never were.
    batch::mark drop_from(position from);

    /// Forgets the oldest batches below `below` until no more than `bytes` are left.
    void shrink_to(std::size_t bytes, position below);

    [[nodiscard]] position begin() const noexcept { return batches_.empty() ? end_ : batches_.front().first; }

    /// Of the oldest batch; like `end()` where there is none.
    [[nodiscard]] position end_of_oldest() const noexcept {
        return batches_.empty() ? end_ : batches_.front().end();
    }

    [[nodiscard]] position end() const noexcept { return end_; }

private:
    struct entry {
        position first;
        std::uint64_t offset; // of its first byte among all that were ever in the queue
        std::shared_ptr<const batch> events;

        [[nodiscard]] position end() const noexcept { return first + events->events(); }
    };

    [[nodiscard]] std::uint64_t offset(position at) const;
    [[nodiscard]] std::deque<entry>::const_iterator holding(position from) const;
    batch::mark drop_front();

    std::deque<entry> batches_;
    position end_;
    std::uint64_t end_offset_ = 0;
    std::size_t bytes_ = 0;
};

} // namespace trackd
