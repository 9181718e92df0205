// A durable backlog that does what a test tells it to: stores when it is told, is full, fails, and has damage.
#pragma once

#include "backlog/batch_queue.hpp"

#include <trackd/backlog.hpp>

#include <boost/asio/post.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace trackd::test {

/// Used on one thread, which is also its strand's. What changes is told on the strand, as soon as the context runs.
class fake_backlog final : public backlog {
public:
    /// @param first what the next event gets, after an earlier process
    explicit fake_backlog(position first = 1) : events_{first}, stored_end_{first} {}

    /// What an earlier process has left.
    void put(batch events) {
        events_.append(std::move(events));
        stored_end_ = events_.end();
    }

    /// All that it was given is on the disk.
    void store() {
        on_strand([this] { has_stored(events_.end()); });
    }

    void store_up_to(position end) {
        on_strand([this, end] { has_stored(end); });
    }

    /// What it is given is on the disk at once.
    void store_always(bool always = true) { stores_always_ = always; }

    /// @param keep_unwritten as in `journal_options`; without it what is not stored is dropped where it is not good
    void become(backlog_condition condition, bool keep_unwritten = false) {
        on_strand([this, condition, keep_unwritten] {
            condition_ = condition;
            batch::mark dropped;
            if (condition != backlog_condition::good && !keep_unwritten)
                dropped = events_.drop_from(stored_end_);
            if (dropped.events > 0) told_.released(dropped);
            told_.changed();
        });
    }

    /// Where a sink has got to in an earlier process.
    void put_cursor(const std::string& sink, const cursor& place) { cursors_[sink] = place; }

    /// Sinks that may skip have to get to `at`, or there is no room.
    void be_short_of_room(position at) {
        short_of_room_ = true;
        need_for_room(at);
    }

    /// So many positions from `first` on can no longer be read.
    void damage(position first, std::uint64_t count) { damaged_[first] = count; }

    /// The next reads fail.
    void fail_reads(int count) { failing_reads_ = count; }

    /// The next read fails as no disk does: by a bug.
    void break_read() { breaks_read_ = true; }

    void need_for_room(position at) {
        room_at_ = at;
        on_strand([this] { told_.changed(); });
    }

    /// What is left when it is closed is stored then.
    void store_on_close() { stores_on_close_ = true; }

    void take_batches_up_to(std::size_t bytes) { max_batch_bytes_ = bytes; }

    [[nodiscard]] int reads() const noexcept { return reads_; }

    [[nodiscard]] bool kept_new_sinks() const noexcept { return kept_new_sinks_; }

    [[nodiscard]] bool closed() const noexcept { return closed_; }

    /// How many events it has been given, dropped or not.
    [[nodiscard]] std::uint64_t given() const noexcept { return given_; }

    [[nodiscard]] const cursor& place(const std::string& sink) const { return cursors_.at(sink); }

    [[nodiscard]] cursor
    open_cursor(const std::string& sink, sink_start where, const std::string& bookmark) override {
        const auto at = where == sink_start::oldest ? events_.begin() : events_.end();
        auto& place = cursors_.try_emplace(sink, cursor{at, at, 0}).first->second;
        if (place.bookmark.empty()) place.bookmark = bookmark;
        return place;
    }

    void keep_new_sinks() override { kept_new_sinks_ = true; }

    void start(boost::asio::any_io_executor strand, clock& /*time*/, signals to) override {
        strand_ = std::move(strand);
        told_ = std::move(to);
    }

    void append(batch events) override {
        given_ += events.events();
        events_.append(std::move(events));
        if (stores_always_) store();
    }

    [[nodiscard]] std::shared_ptr<const batch> newest() const override { return events_.newest(); }

    [[nodiscard]] boost::asio::awaitable<chunk> read(position from, read_limits limits) override {
        ++reads_;
        if (failing_reads_ > 0) {
            --failing_reads_;
            throw std::system_error{std::make_error_code(std::errc::io_error), "segment: read"};
        }
        if (breaks_read_) throw std::logic_error{"broken"};
        chunk found;
        found.first = from;
        const auto below = condition_ == backlog_condition::good ? stored_end_ : events_.end();
        if (const auto bad = damaged_.find(from); bad != damaged_.end()) {
            found.damaged = bad->second;
            co_return found;
        }
        const auto bad = damaged_.lower_bound(from);
        co_return events_.read(from, bad == damaged_.end() ? below : std::min(below, bad->first), limits);
    }

    void move_cursor(std::string_view sink, const cursor& to) override { cursors_.find(sink)->second = to; }

    [[nodiscard]] position end() const noexcept override { return events_.end(); }

    [[nodiscard]] position stored_end() const noexcept override { return stored_end_; }

    [[nodiscard]] std::uint64_t bytes_between(position from, position to) const override {
        return events_.bytes_between(from, to);
    }

    [[nodiscard]] position room_at() const noexcept override { return room_at_; }

    [[nodiscard]] bool short_of_room() const noexcept override { return short_of_room_; }

    [[nodiscard]] std::size_t max_batch_bytes() const noexcept override { return max_batch_bytes_; }

    [[nodiscard]] backlog_condition condition() const noexcept override { return condition_; }

    [[nodiscard]] bool durable() const noexcept override { return true; }

    [[nodiscard]] boost::asio::awaitable<void> close() override {
        if (stores_on_close_) stored_end_ = events_.end();
        closed_ = true;
        told_.changed();
        co_return;
    }

private:
    void has_stored(position end) {
        const auto stored = events_.size(stored_end_, end);
        stored_end_ = end;
        told_.released(stored);
        told_.changed();
    }

    void on_strand(std::function<void()> work) { boost::asio::post(strand_, std::move(work)); }

    batch_queue events_;
    position stored_end_;
    position room_at_ = 1;
    std::size_t max_batch_bytes_ = static_cast<std::size_t>(-1);
    backlog_condition condition_ = backlog_condition::good;
    std::map<position, std::uint64_t> damaged_;
    std::map<std::string, cursor, std::less<>> cursors_;
    std::uint64_t given_ = 0;
    int failing_reads_ = 0;
    int reads_ = 0;
    bool breaks_read_ = false;
    bool short_of_room_ = false;
    bool stores_always_ = false;
    bool stores_on_close_ = false;
    bool kept_new_sinks_ = false;
    bool closed_ = false;
    boost::asio::any_io_executor strand_;
    signals told_;
};

} // namespace trackd::test
