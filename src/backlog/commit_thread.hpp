// Group commit: a thread that stores batches while the next ones gather. No timer holds a commit back: the slower the
// disk, the more batches share the next sync.
#pragma once

#include "backlog/commit_writer.hpp"
#include "base/distribution_counter.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace trackd::journal {

/// What the thread has achieved so far.
struct commit_progress {
    trackd::position stored_end = 1;
    std::uint64_t segment_bytes = 0; ///< of the newest segment that are written; 0: it has not made any
    backlog_condition condition = backlog_condition::good;
    std::uint64_t commits = 0;
    std::uint64_t fulls = 0; ///< how often the condition became full
    std::chrono::microseconds last_commit{};
    std::string error;      ///< of the disk, the last one
    bool will_look = false; ///< it looks for room, or is about to
};

/// How its commits were, as it counts them: any thread may read them.
struct commit_counters {
    base::distribution_counter<16> microseconds{std::to_array<std::uint64_t>(
        {50, 100, 250, 500, 1'000, 2'500, 5'000, 10'000, 25'000, 50'000, 100'000, 250'000, 500'000, 1'000'000,
         2'500'000, 10'000'000}
    )};
    base::distribution_counter<13> events{
        std::to_array<std::uint64_t>({1, 2, 5, 10, 20, 50, 100, 200, 500, 1'000, 2'000, 5'000, 10'000})
    };
};

/// Any thread, where not said otherwise.
///
/// When a commit finds no room, the thread takes nothing more until it does: it looks again every second, and whenever
/// it is told that there may be some. The batches that wait then are its owner's business: see `progress_or_discard`.
class commit_thread {
public:
    using clock = std::chrono::steady_clock;

    /// @param writer   is used by the thread alone
    /// @param progress called on the thread, after each commit and each change of condition; must not block
    commit_thread(commit_writer writer, journal_options options, std::function<void()> progress);

    /// Ends it, if `close` has not: what waits is not stored.
    ~commit_thread();

    void submit(std::shared_ptr<const batch> events);

    /// Some room may have been made.
    void look_for_room();

    /// Returns when it has looked for room as often as it was told to, if the condition is full. Blocks.
    void wait_for_look();

    /// Stores what waits, where it can; then writes a mark, and ends. Blocks.
    void close();

    [[nodiscard]] commit_progress progress() const;

    /// The same; and where the condition is not good, forgets the batches that are not stored, so that they never were.
    [[nodiscard]] commit_progress progress_or_discard();

    [[nodiscard]] const commit_counters& figures() const noexcept { return figures_; }

    /// How long the commit that is under way already takes.
    [[nodiscard]] clock::duration busy_for() const noexcept;

private:
    using batches = std::vector<std::shared_ptr<const batch>>;
    using unique_lock = std::unique_lock<std::mutex>;

    void run();
    void wait(unique_lock& lock);
    void store(unique_lock& lock);
    void tidy_up(unique_lock& lock);
    void look_again(unique_lock& lock);
    [[nodiscard]] std::size_t next_commit() const;
    [[nodiscard]] batches take();
    template <class Work>
    clock::duration attempt(unique_lock& lock, Work work);
    void tell(unique_lock& lock);
    void set(backlog_condition condition, const std::string& error);

    const journal_options options_;
    const std::function<void()> tell_;
    commit_writer writer_; // the thread's own
    clock::time_point synced_{};
    commit_counters figures_;

    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::condition_variable looked_;
    batches waiting_;
    bool look_ = false;
    bool closing_ = false;
    bool tidy_ = true; // nothing was written since the last mark
    commit_progress progress_;

    std::atomic<clock::rep> busy_since_{0}; // 0: it is not
    std::thread thread_;                    // last: it uses all of the above
};

} // namespace trackd::journal
