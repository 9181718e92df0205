// The backlog on disk. Here is what runs on the tracker's strand; commits have a thread of their own, and so have reads
// of what is no longer in memory, the cursors, and the giving up of segments.
#include "backlog/batch_queue.hpp"
#include "backlog/commit_thread.hpp"
#include "backlog/cursor_file.hpp"
#include "backlog/directory_lock.hpp"
#include "backlog/found_events.hpp"
#include "backlog/full_report.hpp"
#include "backlog/held_events.hpp"
#include "backlog/journal_reader.hpp"
#include "backlog/recovery.hpp"
#include "backlog/run_mark.hpp"
#include "base/log.hpp"
#include "base/task_group.hpp"

#include <trackd/journal.hpp>

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <exception>
#include <random>
#include <set>
#include <stdexcept>
#include <utility>

namespace trackd {

namespace asio = boost::asio;

namespace {

using namespace journal;

// How much of what is stored stays in memory, for the sinks that keep up.
constexpr std::size_t kept_in_memory = std::size_t{8} << 20U;

// How old the cursors on disk may get: after a crash, so much is delivered again.
constexpr std::chrono::seconds cursors_every{1};

journal_options with_directory(journal_options options, file_system& files) {
    files.make_directory(options.directory);
    const auto parent = options.directory.parent_path();
    files.sync_directory(parent.empty() ? "." : parent);
    return options;
}

kept_cursors read_and_report(file_system& files, const std::filesystem::path& directory) {
    auto kept = read_cursors(files, directory);
    if (!kept.problem.empty())
        base::log().error("journal: {}; every sink begins at the oldest event kept", kept.problem);
    return kept;
}

std::function<std::uint32_t()> random_salts() {
    return [] { return std::random_device{}(); };
}

class journal_backlog final : public backlog {
public:
    journal_backlog(journal_options options, file_system& files)
        : options_{with_directory(std::move(options), files)}, files_{files}, lock_{options_.directory},
          kept_{read_and_report(files, options_.directory)},
          found_{recover(files, options_.directory, kept_.all, options_.segment_bytes)},
          mark_{files, options_.directory}, found_events_{measure_found(files, found_, read_mark())},
          places_lost_{!kept_.problem.empty() || (kept_.all.empty() && !found_.segments.empty())},
          cursors_{std::move(kept_.all)},
          store_{files, options_, std::move(found_.segments), std::move(found_.spares)},
          damaged_bytes_{found_.damaged_bytes}, stored_end_{found_.goes_on.next}, newest_{stored_end_},
          reader_{files, store_, damaged_bytes_},
          commits_{commit_writer{store_, options_, found_.goes_on, random_salts()}, options_, [this] {
                       asio::post(strand_, [this] { progress(); });
                   }} {}

    [[nodiscard]] cursor
    open_cursor(const std::string& sink, sink_start where, const std::string& bookmark) override {
        configured_.insert(sink);
        const auto oldest = std::min(store_.begin().value_or(stored_end_), stored_end_);
        const auto from = where == sink_start::oldest || places_lost_ ? oldest : stored_end_;
        auto& place = cursors_.try_emplace(sink, cursor{from, from, 0}).first->second;
        if (place.bookmark.empty()) place.bookmark = bookmark;
        check_fit(options_.directory, cursors_);
        return place;
    }

    // Where a sink began must not be forgotten, or it would begin elsewhere after a crash, or not know what of its first
    // events it has.
    void keep_new_sinks() override {
        begin_run();
        try {
            write_cursors(files_, options_.directory, cursors_);
        } catch (const std::exception& failure) {
            cursors_failed(failure);
        }
    }

    void start(asio::any_io_executor strand, clock& time, signals to) override {
        strand_ = std::move(strand);
        signals_ = std::move(to);
        clock_ = &time;
        moved_.emplace(strand_, time);
        condition_changed_.emplace(strand_, time);
        tasks_.emplace(strand_, base::log_failed_task);
        report_unknown_sinks();
        tasks_->spawn("journal cursors", keep_cursors());
        tasks_->spawn("journal condition", report_fullness());
    }

    void append(batch events) override {
        if (auto added = newest_.append(std::move(events))) commits_.submit(std::move(added));
    }

    [[nodiscard]] std::shared_ptr<const batch> newest() const override { return newest_.newest(); }

    [[nodiscard]] asio::awaitable<chunk> read(position from, read_limits limits) override {
        const auto end = condition_ == backlog_condition::good ? stored_end_ : newest_.end();
        if (from >= newest_.begin()) co_return newest_.read(from, end, limits);
        co_return co_await read_from_disk(from, stored_end_, limits);
    }

    void move_cursor(std::string_view sink, const cursor& to) override {
        cursors_.find(sink)->second = to;
        newest_.drop_below(std::min(least_cursor(configured_), stored_end_));
        const bool first = !std::exchange(cursors_dirty_, true);
        if (first || can_trim()) moved_->ring();
    }

    [[nodiscard]] position begin() const noexcept override { return store_.begin().value_or(stored_end_); }

    [[nodiscard]] position end() const noexcept override { return newest_.end(); }

    [[nodiscard]] position stored_end() const noexcept override { return stored_end_; }

    [[nodiscard]] std::uint64_t bytes_between(position from, position to) const override {
        const auto in_memory = newest_.begin();
        const auto on_disk =
            store_.bytes_between(from, std::min(to, in_memory), {stored_end_, segment_bytes_});
        return on_disk + newest_.bytes_between(std::max(from, in_memory), std::max(to, in_memory));
    }

    [[nodiscard]] position room_at() const noexcept override {
        const auto newest_counts = condition_ == backlog_condition::full;
        return store_.end_of_oldest().value_or(newest_counts ? stored_end_ : 1);
    }

    // Not where a sink that is not configured any more keeps the oldest segment: nobody else can give it up. Nor while
    // it is not known what the last segments that were given up are good for.
    [[nodiscard]] bool short_of_room() const noexcept override {
        if (least_cursor() < least_cursor(configured_)) return false;
        return condition_ == backlog_condition::full ? !will_look_ : store_.has_its_last();
    }

    // Two batches, each a segment of its own, must fit beside each other: one that is delivered, and the next. What an
    // event takes in the journal is less than twice its encoding, and a lane may put half as much again on top.
    [[nodiscard]] std::size_t max_batch_bytes() const noexcept override { return options_.max_bytes / 8; }

    [[nodiscard]] backlog_condition condition() const noexcept override { return condition_; }

    [[nodiscard]] bool durable() const noexcept override { return true; }

    [[nodiscard]] std::vector<std::string> removed_sinks() const override {
        std::vector<std::string> removed;
        for (const auto& [sink, at] : cursors_)
            if (!configured_.contains(sink)) removed.push_back(sink);
        return removed;
    }

    // The other sinks' cursors are written in the same step, so that no crash leaves segments given up that one of
    // them needs.
    [[nodiscard]] asio::awaitable<std::uint64_t> forget_cursor(std::string sink) override {
        if (closing_) throw std::runtime_error{"the journal is being closed"};
        const auto kept = cursors_.find(sink);
        if (kept == cursors_.end() || configured_.contains(sink)) co_return 0;
        const auto carries_end = [this](const auto& one) { return one.second.at >= stored_end_; };
        if (!store_.begin() && carries_end(*kept) && std::ranges::count_if(cursors_, carries_end) == 1)
            throw std::runtime_error{"the journal is empty, and only this cursor says which position comes "
                                     "next; try again after the next "
                                     "event"};
        const auto events = stored_end_ - std::min(kept->second.at, stored_end_);
        cursors_.erase(kept);
        base::log().warn("journal: forgot sink {}, {} events were kept for it", sink, events);
        co_await save_cursors();
        if (cursors_error_.empty()) co_return events;
        moved_->ring(); // or nothing would try again before a cursor moves
        throw std::runtime_error{cursors_error_};
    }

    [[nodiscard]] asio::awaitable<void> close() override {
        if (!moved_) co_return; // it was never started
        closing_ = true;
        moved_->ring();
        condition_changed_->ring();
        co_await tasks_->join();
        co_await save_cursors(); // what that gives up may be the room for what is still to be stored
        if (condition_ == backlog_condition::full) co_await give_up_newest();
        co_await beside([this] { commits_.close(); });
        progress();
        co_await save_cursors();
        if (condition_ != backlog_condition::failed) co_await beside([this] { end_run(); });
        beside_.join();
    }

    [[nodiscard]] std::chrono::steady_clock::duration busy_for() const noexcept override {
        return commits_.busy_for();
    }

    [[nodiscard]] std::optional<journal_status> journal() const override {
        const auto used = store_.used();
        const auto done = commits_.progress();
        journal_status status;
        status.segments = used.segments;
        status.bytes = used.bytes;
        status.max_bytes = options_.max_bytes;
        status.commits = done.commits;
        status.damaged_bytes = damaged_bytes_;
        status.torn_bytes = found_.torn_bytes;
        status.found = found_events_;
        status.fulls = done.fulls;
        status.last_commit = done.last_commit;
        status.commit_seconds = commits_.figures().microseconds.read(1e6);
        status.commit_events = commits_.figures().events.read();
        status.last_error = done.error;
        status.holders = find_holders(cursors_, configured_, newest_.end());
        return status;
    }

private:
    [[nodiscard]] run_end read_mark() const {
        const bool has_history = !kept_.all.empty() || !kept_.problem.empty() || !found_.segments.empty() ||
                                 found_.goes_on.next > 1;
        return mark_.read(found_.goes_on.next, has_history);
    }

    void begin_run() {
        const bool is_unclean = found_events_.last_run == run_end::killed || found_.torn_bytes > 0;
        base::log().log(
            is_unclean ? spdlog::level::warn : spdlog::level::info, describe(found_events_, found_.torn_bytes)
        );
        try {
            mark_.begin();
        } catch (const std::exception& failure) {
            base::log().warn("journal: the next start will not know how this run ends: {}", failure.what());
        }
    }

    void end_run() {
        try {
            mark_.end(stored_end_);
        } catch (const std::exception& failure) {
            base::log().warn("journal: the next start will not know of this clean stop: {}", failure.what());
        }
    }

    // The commit thread has got further, or has met a full or broken disk.
    void progress() {
        const auto done = options_.keep_unwritten ? commits_.progress() : commits_.progress_or_discard();
        auto released = newest_.size(stored_end_, done.stored_end);
        stored_end_ = done.stored_end;
        segment_bytes_ = done.segment_bytes;
        will_look_ = done.will_look;
        report(done);
        condition_ = done.condition;
        if (condition_ != backlog_condition::good && !options_.keep_unwritten) {
            const auto dropped = newest_.drop_from(stored_end_);
            released.bytes += dropped.bytes;
            released.events += dropped.events;
        }
        newest_.shrink_to(kept_in_memory, stored_end_);
        save_cursors_if_that_makes_room();
        if (released.events > 0) signals_.released(released);
        signals_.changed();
    }

    // Cursors that ran ahead of what was stored may allow it only now, and may never move again.
    void save_cursors_if_that_makes_room() {
        if (!can_trim()) return;
        cursors_dirty_ = true;
        moved_->ring();
    }

    void report(const commit_progress& now) {
        fulls_.changed(now.condition == backlog_condition::full, clock_->now());
        if (now.condition == condition_) return;
        if (now.condition == backlog_condition::failed)
            base::log().error("journal: failed: {}", now.error);
        else
            condition_changed_->ring();
    }

    asio::awaitable<void> report_fullness() {
        while (!closing_) {
            if (const auto line = fulls_.next(clock_->now())) write_line(*line);
            co_await condition_changed_->wait(fulls_.due());
        }
    }

    void write_line(const full_report::line& line) const {
        const auto holders = find_holders(cursors_, configured_, newest_.end());
        journal_holder named;
        std::string error;
        for (const auto& holder : holders) { // of several at the oldest event, one that fails
            if (holder.oldest != holders.front().oldest || !error.empty()) break;
            if (signals_.sink_error) error = signals_.sink_error(holder.sink);
            if (!error.empty() || named.sink.empty()) named = holder;
        }
        write_fullness(line, commits_.progress().error, describe(named, error));
    }

    asio::awaitable<chunk> read_from_disk(position from, position below, read_limits limits) {
        chunk found;
        co_await beside([&] { found = reader_.read(from, below, limits); });
        co_return found;
    }

    void cursors_failed(const std::exception& failure) {
        cursors_dirty_ = true;
        if (std::exchange(cursors_error_, failure.what()) != failure.what())
            base::log().error(
                "journal: cursors or segments could not be tidied, which is tried again: {}", failure.what()
            );
    }

    asio::awaitable<void> keep_cursors() {
        while (!closing_) {
            if (!cursors_dirty_ && !can_trim()) co_await moved_->wait();
            const auto until = clock_->now() + cursors_every;
            while (!closing_ && !(can_trim() && cursors_error_.empty()) && clock_->now() < until)
                co_await moved_->wait(until);
            if (!closing_) co_await save_cursors();
        }
    }

    // Segments are given up only once the cursors that allow it are on disk.
    asio::awaitable<void> save_cursors() {
        cursors_dirty_ = false;
        const auto all = cursors_;
        const auto below = least_cursor();
        bool trimmed = false;
        try {
            co_await beside([&] {
                write_cursors(files_, options_.directory, all);
                trimmed = store_.trim(below);
                if (trimmed) reader_.forget_below(store_.begin().value_or(below));
            });
            cursors_error_.clear();
        } catch (const std::exception& failure) {
            cursors_failed(failure);
        }
        if (!trimmed && condition_ != backlog_condition::full) co_return;
        will_look_ = true;
        commits_.look_for_room();
        if (trimmed) signals_.changed();
    }

    // The newest segment, where that is what makes room: before the end of the journal, for what is still to be stored.
    asio::awaitable<void> give_up_newest() {
        co_await beside([this] { commits_.wait_for_look(); });
        progress();
        if (can_trim()) co_await save_cursors();
    }

    // Does blocking work on the thread beside, and comes back.
    template <class Work>
    asio::awaitable<void> beside(Work work) {
        std::exception_ptr failure;
        co_await asio::post(asio::bind_executor(beside_.get_executor(), asio::use_awaitable));
        try {
            work();
        } catch (...) {
            failure = std::current_exception();
        }
        co_await asio::post(asio::bind_executor(strand_, asio::use_awaitable));
        if (failure) std::rethrow_exception(failure);
    }

    [[nodiscard]] bool can_trim() const {
        const auto least = least_cursor();
        if (const auto end = store_.end_of_oldest()) return *end <= least;
        // The newest segment is given up only after the cursors on disk have passed it.
        return condition_ == backlog_condition::full && least == stored_end_ && store_.passed() < least;
    }

    [[nodiscard]] position least_cursor() const {
        if (cursors_.empty()) return 0; // then only segments keep the next position
        auto least = stored_end_;
        for (const auto& [sink, at] : cursors_)
            least = std::min(least, at.at);
        return least;
    }

    [[nodiscard]] position least_cursor(const std::set<std::string, std::less<>>& of) const {
        auto least = newest_.end();
        for (const auto& sink : of)
            least = std::min(least, cursors_.find(sink)->second.at);
        return least;
    }

    void report_unknown_sinks() const {
        for (const auto& [sink, at] : cursors_) {
            if (configured_.contains(sink)) continue;
            base::log().warn(
                "journal: sink {0} is not configured any more, and keeps {1} events for its return; "
                "`trackd sink forget {0}` gives them up, or `trackd journal forget {0}` while trackd is "
                "stopped",
                sink, stored_end_ - std::min(at.at, stored_end_)
            );
        }
    }

    const journal_options options_;
    file_system& files_;
    const directory_lock lock_;
    kept_cursors kept_; // moved on from, like much of what follows
    recovered found_;
    run_mark mark_;
    const journal_found found_events_;
    const bool places_lost_; // it is not known where sinks were, so none begins behind what it may lack
    cursors cursors_;
    segment_store store_;
    std::atomic<std::uint64_t> damaged_bytes_;

    std::set<std::string, std::less<>> configured_;
    asio::any_io_executor strand_;
    signals signals_;
    clock* clock_ = nullptr;
    position stored_end_;
    std::uint64_t segment_bytes_ = 0; // as in `commit_progress`
    backlog_condition condition_ = backlog_condition::good;
    bool will_look_ = false; // as in `commit_progress`
    full_report fulls_;
    batch_queue newest_; // what is not stored, and before it some of what is
    bool cursors_dirty_ = false;
    std::string cursors_error_;
    bool closing_ = false;
    std::optional<wakeup> moved_;
    std::optional<wakeup> condition_changed_;

    journal_reader reader_; // used on the thread beside, like what is given to `beside`
    commit_thread commits_;
    asio::thread_pool beside_{1};
    std::optional<base::task_group<asio::any_io_executor>> tasks_;
};

} // namespace

std::unique_ptr<backlog> make_journal_backlog(journal_options options) {
    return make_journal_backlog(std::move(options), real_file_system());
}

std::unique_ptr<backlog> make_journal_backlog(journal_options options, file_system& files) {
    return std::make_unique<journal_backlog>(std::move(options), files);
}

} // namespace trackd
