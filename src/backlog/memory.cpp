// A backlog in memory: the batches as they came, in a queue.
#include "backlog/batch_queue.hpp"

#include <trackd/backlog.hpp>

#include <algorithm>
#include <map>
#include <utility>

namespace trackd {

namespace {

class memory_backlog final : public backlog {
public:
    [[nodiscard]] cursor
    open_cursor(const std::string& sink, sink_start /*where*/, const std::string& bookmark) override {
        cursors_[sink] = 1;
        cursor first;
        first.bookmark = bookmark;
        return first;
    }

    void start(boost::asio::any_io_executor /*strand*/, clock& /*time*/, signals to) override {
        signals_ = std::move(to);
    }

    void append(batch events) override { batches_.append(std::move(events)); }

    [[nodiscard]] std::shared_ptr<const batch> newest() const override { return batches_.newest(); }

    [[nodiscard]] boost::asio::awaitable<chunk> read(position from, read_limits limits) override {
        co_return batches_.read(from, batches_.end(), limits);
    }

    void move_cursor(std::string_view sink, const cursor& to) override {
        cursors_.find(sink)->second = to.at;
        const auto dropped = batches_.drop_below(least_cursor());
        if (dropped.events > 0) signals_.released(dropped);
    }

    [[nodiscard]] position end() const noexcept override { return batches_.end(); }

    [[nodiscard]] position stored_end() const noexcept override { return batches_.end(); }

    [[nodiscard]] std::uint64_t bytes_between(position from, position to) const override {
        return batches_.bytes_between(from, to);
    }

    [[nodiscard]] position room_at() const noexcept override { return batches_.end_of_oldest(); }

    [[nodiscard]] bool durable() const noexcept override { return false; }

    [[nodiscard]] boost::asio::awaitable<void> close() override { co_return; }

private:
    [[nodiscard]] position least_cursor() const {
        auto least = batches_.end();
        for (const auto& [sink, at] : cursors_)
            least = std::min(least, at);
        return least;
    }

    signals signals_;
    batch_queue batches_{1};
    std::map<std::string, position, std::less<>> cursors_;
};

} // namespace

std::unique_ptr<backlog> make_memory_backlog() {
    return std::make_unique<memory_backlog>();
}

} // namespace trackd
