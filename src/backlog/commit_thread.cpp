#include "backlog/commit_thread.hpp"

#include "base/log.hpp"

#include <algorithm>
#include <exception>
#include <iterator>
#include <pthread.h>
#include <sched.h>
#include <utility>

namespace trackd::journal {

namespace {

// How long nothing must come until a mark is written.
constexpr std::chrono::seconds idle_time{1};

// How often it looks whether a full disk has room again.
constexpr std::chrono::seconds look_again_after{1};

// A commit takes no further batch beyond this: those who wait for it would wait too long. Nor does it take so much that
// it would not fit into a segment.
std::size_t most_commit_bytes(const journal_options& options) {
    return std::min<std::size_t>(std::size_t{4} << 20U, options.segment_bytes / 4);
}

constexpr std::chrono::seconds slow_commit{1};

// Where there are too few processors for all, those who fill the next commit go first: commits get larger then, rather
// than more frequent. An operator who has chosen another policy for the process has reasons of his own.
void give_way() noexcept {
    const sched_param none{};
    if (::sched_getscheduler(0) == SCHED_OTHER) ::pthread_setschedparam(::pthread_self(), SCHED_BATCH, &none);
}

} // namespace

commit_thread::commit_thread(commit_writer writer, journal_options options, std::function<void()> progress)
    : options_{std::move(options)}, tell_{std::move(progress)}, writer_{std::move(writer)} {
    progress_.stored_end = writer_.next();
    thread_ = std::thread{[this] { run(); }};
}

commit_thread::~commit_thread() {
    if (!thread_.joinable()) return;
    {
        const std::lock_guard lock{mutex_};
        waiting_.clear();
    }
    close();
}

void commit_thread::submit(std::shared_ptr<const batch> events) {
    const std::lock_guard lock{mutex_};
    waiting_.push_back(std::move(events));
    if (waiting_.size() == 1) changed_.notify_one();
}

void commit_thread::look_for_room() {
    const std::lock_guard lock{mutex_};
    look_ = true;
    progress_.will_look = true;
    changed_.notify_one();
}

void commit_thread::wait_for_look() {
    std::unique_lock lock{mutex_};
    looked_.wait(lock, [this] {
        return !progress_.will_look || progress_.condition != backlog_condition::full;
    });
}

void commit_thread::close() {
    {
        const std::lock_guard lock{mutex_};
        closing_ = true;
        changed_.notify_one();
    }
    thread_.join();
}

commit_progress commit_thread::progress() const {
    const std::lock_guard lock{mutex_};
    return progress_;
}

// One step: between two the thread could find room, and store what is to be forgotten.
commit_progress commit_thread::progress_or_discard() {
    const std::lock_guard lock{mutex_};
    if (progress_.condition != backlog_condition::good) waiting_.clear();
    return progress_;
}

commit_thread::clock::duration commit_thread::busy_for() const noexcept {
    const auto since = busy_since_.load(std::memory_order_relaxed);
    return since == 0 ? clock::duration{} : clock::now().time_since_epoch() - clock::duration{since};
}

void commit_thread::run() {
    give_way();
    std::unique_lock lock{mutex_};
    while (progress_.condition != backlog_condition::failed) {
        wait(lock);
        const bool last = closing_;
        if (progress_.condition == backlog_condition::full)
            look_again(lock);
        else if (!waiting_.empty())
            store(lock);
        else
            tidy_up(lock);
        if (last && (progress_.condition == backlog_condition::full || (waiting_.empty() && tidy_))) return;
    }
}

// Until there is something to do.
void commit_thread::wait(unique_lock& lock) {
    if (progress_.condition == backlog_condition::full) {
        changed_.wait_for(lock, look_again_after, [this] { return look_ || closing_; });
    } else {
        const auto something = [this] { return !waiting_.empty() || closing_; };
        if (tidy_)
            changed_.wait(lock, something);
        else if (options_.sync == journal_sync::interval)
            changed_.wait_for(lock, std::min<clock::duration>(idle_time, options_.sync_interval), something);
        else
            changed_.wait_for(lock, idle_time, something);
    }
}

void commit_thread::store(unique_lock& lock) {
    auto taken = take();
    const auto took = attempt(lock, [&] {
        try {
            writer_.commit(taken);
            if (options_.sync == journal_sync::interval && clock::now() >= synced_ + options_.sync_interval) {
                writer_.sync();
                synced_ = clock::now();
            }
        } catch (const no_room&) {
            const std::lock_guard again{mutex_};
            waiting_.insert(
                waiting_.begin(), std::make_move_iterator(taken.begin()), std::make_move_iterator(taken.end())
            );
            throw;
        }
    });
    if (progress_.condition != backlog_condition::good) return;
    tidy_ = false;
    ++progress_.commits;
    progress_.last_commit = std::chrono::floor<std::chrono::microseconds>(took);
    figures_.microseconds.add(static_cast<std::uint64_t>(progress_.last_commit.count()));
    figures_.events.add(writer_.next() - progress_.stored_end);
    progress_.stored_end = writer_.next();
    progress_.segment_bytes = writer_.segment_bytes();
    tell(lock);
}

// How many of the oldest batches that wait make the next commit; at least one, if there is any.
std::size_t commit_thread::next_commit() const {
    const auto most = most_commit_bytes(options_);
    std::size_t bytes = 0;
    std::size_t count = 0;
    while (count < waiting_.size() && (bytes == 0 || bytes + waiting_[count]->bytes() <= most))
        bytes += waiting_[count++]->bytes();
    return count;
}

commit_thread::batches commit_thread::take() {
    const auto count = next_commit();
    if (count == waiting_.size()) return std::exchange(waiting_, {});
    const auto end = waiting_.begin() + static_cast<std::ptrdiff_t>(count);
    batches taken{std::make_move_iterator(waiting_.begin()), std::make_move_iterator(end)};
    waiting_.erase(waiting_.begin(), end);
    return taken;
}

// Nothing has come for a while.
void commit_thread::tidy_up(unique_lock& lock) {
    attempt(lock, [this] {
        if (options_.sync == journal_sync::interval) writer_.sync();
        writer_.mark();
        if (options_.sync == journal_sync::interval) writer_.sync();
    });
    tidy_ = true;
}

void commit_thread::look_again(unique_lock& lock) {
    look_ = false;
    bool room = false;
    const batches next{waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(next_commit())};
    attempt(lock, [&] { room = writer_.make_room(next); });
    if (room) set(backlog_condition::good, "");
    progress_.will_look = look_;
    looked_.notify_all();
    tell(lock);
}

// Does the work without the lock, and notes how it went.
// @return how long it took
template <class Work>
commit_thread::clock::duration commit_thread::attempt(unique_lock& lock, Work work) {
    lock.unlock();
    const auto began = clock::now();
    busy_since_.store(began.time_since_epoch().count(), std::memory_order_relaxed);
    auto condition = backlog_condition::good;
    std::string error;
    try {
        work();
    } catch (const no_room& full) {
        condition = backlog_condition::full;
        error = full.what();
    } catch (const std::exception& failure) {
        condition = backlog_condition::failed;
        error = failure.what();
    }
    busy_since_.store(0, std::memory_order_relaxed);
    const auto took = clock::now() - began;
    if (took > slow_commit)
        base::log().warn(
            "journal: the disk took {} ms for a write",
            std::chrono::floor<std::chrono::milliseconds>(took).count()
        );
    lock.lock();
    if (condition != backlog_condition::good) {
        set(condition, error);
        tell(lock);
    }
    return took;
}

// Not under the lock, which the one who is told may want.
void commit_thread::tell(unique_lock& lock) {
    lock.unlock();
    tell_();
    lock.lock();
}

void commit_thread::set(backlog_condition condition, const std::string& error) {
    progress_.condition = condition;
    if (condition == backlog_condition::full) ++progress_.fulls;
    if (!error.empty()) progress_.error = error;
}

} // namespace trackd::journal
