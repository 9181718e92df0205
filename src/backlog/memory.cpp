// A backlog in memory: the batches as they came, in a queue.
#include <trackd/backlog.hpp>

#include <algorithm>
#include <deque>

namespace trackd {

namespace {

class memory_backlog final : public backlog {
public:
    void append(batch events) override {
        if (events.empty()) return;
        const auto first = end_;
        end_ += events.events();
        bytes_ += events.bytes();
        batches_.push_back({first, std::make_shared<const batch>(std::move(events))});
    }

    [[nodiscard]] boost::asio::awaitable<chunk> read(position from, read_limits limits) override {
        chunk read;
        read.first = from;
        std::size_t bytes = 0;
        for (auto at = holding(from); at != batches_.end() && !full(read, bytes, limits); ++at)
            bytes += take(*at, from, limits, bytes, read);
        co_return read;
    }

    std::size_t trim(position below) override {
        const auto before = bytes_;
        while (!batches_.empty() && batches_.front().end() <= below) {
            bytes_ -= batches_.front().events->bytes();
            batches_.pop_front();
        }
        return before - bytes_;
    }

    [[nodiscard]] position begin() const noexcept override {
        return batches_.empty() ? end_ : batches_.front().first;
    }

    [[nodiscard]] position end() const noexcept override { return end_; }

    [[nodiscard]] position stored_end() const noexcept override { return end_; }

    [[nodiscard]] std::size_t bytes() const noexcept override { return bytes_; }

    [[nodiscard]] bool durable() const noexcept override { return false; }

private:
    struct entry {
        position first;
        std::shared_ptr<const batch> events;

        [[nodiscard]] position end() const noexcept { return first + events->events(); }
    };

    [[nodiscard]] std::deque<entry>::const_iterator holding(position from) const {
        return std::partition_point(batches_.begin(), batches_.end(), [from](const entry& e) {
            return e.end() <= from;
        });
    }

    static bool full(const chunk& read, std::size_t bytes, read_limits limits) {
        return !read.events.empty() && (read.events.size() >= limits.events || bytes >= limits.bytes);
    }

    // Adds what of the entry lies at `from` or after, and fits; returns its bytes.
    static std::size_t
    take(const entry& from_entry, position from, read_limits limits, std::size_t bytes, chunk& read) {
        const auto bytes_before = bytes;
        auto at = from_entry.events->begin();
        for (auto skipped = from_entry.first; skipped < from; ++skipped)
            ++at;
        for (; at != from_entry.events->end() && !full(read, bytes, limits); ++at) {
            bytes += at.encoded_bytes();
            read.events.push_back(*at);
        }
        read.owners.push_back(from_entry.events);
        return bytes - bytes_before;
    }

    std::deque<entry> batches_;
    position end_ = 1;
    std::size_t bytes_ = 0;
};

} // namespace

std::unique_ptr<backlog> make_memory_backlog() {
    return std::make_unique<memory_backlog>();
}

} // namespace trackd
