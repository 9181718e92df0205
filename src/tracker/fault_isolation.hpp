// After a failed write: is a single event at fault, or the destination? The one place that decides it, for every sink.
#pragma once

#include "tracker/batch_splitter.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace trackd {

/// What a sink says of a write that stored nothing. It is a hint, which makes the decision quicker and never makes it:
/// an event becomes a dead letter only while others pass, whatever its error is called.
enum class write_failure {
    rejected, ///< the sink blames the events
    failed,   ///< any other error
};

/// What a delivery does next.
enum class failure_verdict {
    retry_later,    ///< waits, then writes at most `limit()` events
    retry_now,      ///< writes at most `limit()` events
    probe_others,   ///< writes one later event by itself, to learn whether others pass
    event_at_fault, ///< makes a dead letter of the first event
};

/// Decisions only: no clock, no events.
///
/// A trial begins with the first write that fails and ends when its last event, or one behind it, passes. A batch is halved until one event is
/// alone. That event is at fault if it fails alone although another event has passed before, within the trial:
///  - if the sink rejects it, the next time;
///  - on any other error, after `confirmations_needed` rounds in a row in which it fails and the next event that is
///    tried passes at once. A destination that fails at random does not look like that.
/// If no other event passes, the destination is at fault, and nothing becomes a dead letter. Each round then tries other
/// events, first the next one, then some from all over the backlog, so that a run of bad events does not look like a
/// destination that rejects everything.
class fault_isolation {
public:
    static constexpr int patient_attempts =
        2; ///< failures that are no rejections before single events are tried
    static constexpr int confirmations_needed = 5; ///< see above
    static constexpr int confirmations_of_known =
        2; ///< the same for an error that was an event's fault in this trial
    static constexpr int probes_a_round = 4; ///< of rejected events
    static constexpr int dead_letters_a_pass =
        8; ///< rejected in a row, before another event has to pass again

    /// How many events the next write may have, at least 1.
    [[nodiscard]] std::size_t limit() const noexcept { return splitter_.limit(); }

    /// A write of that many events at the cursor stored none of them.
    /// @param others_passed the same write stored events before them
    [[nodiscard]] failure_verdict
    failed(write_failure kind, std::size_t events, std::string_view error, bool others_passed = false);

    /// What `probe_others` asked for has passed, failed, or found no other event.
    [[nodiscard]] failure_verdict probe_passed() noexcept;
    [[nodiscard]] failure_verdict probe_failed(write_failure kind) noexcept;
    [[nodiscard]] failure_verdict nothing_to_probe() noexcept;

    /// Which event the next probe takes: 0 the next one, 1 one of the newest, then fractions of the backlog (`probe_offset`).
    [[nodiscard]] unsigned probe_number() const noexcept { return probe_; }

    /// That many events at the cursor were stored, all of a write or its first ones.
    void passed(std::size_t events) noexcept;

    /// That many events at the cursor became dead letters.
    void dead_lettered(std::size_t events) noexcept;

    /// The events at the cursor are others now.
    void reset() noexcept;

    /// Of the write that failed first, the events that are still at the cursor; 0 without a trial.
    [[nodiscard]] std::size_t suspects() const noexcept { return suspects_; }

    /// Others have passed within the trial: only the event at the cursor is in question.
    [[nodiscard]] bool others_pass() const noexcept { return in_trial_ && passes_left_ > 0; }

    /// The destination rejects every event that was tried.
    [[nodiscard]] bool rejects_everything() const noexcept { return rejects_everything_; }

    /// A single event is rejected, and there was no other one to compare it with.
    [[nodiscard]] bool lacks_comparison() const noexcept { return lacks_comparison_; }

private:
    void begin_trial() noexcept;
    void next_event() noexcept;
    [[nodiscard]] failure_verdict whole_batch_failed(std::size_t events) noexcept;
    [[nodiscard]] failure_verdict lone_event_failed(std::string_view error);

    batch_splitter splitter_;
    bool in_trial_ = false;
    std::size_t suspects_ = 0;
    int failures_ = 0;            // that are no rejections, while nothing has passed
    int passes_left_ = 0;         // dead letters that the last pass still allows
    std::string confirmed_error_; // of an event of this trial that was at fault

    // Of the event at the cursor, once it is alone:
    write_failure kind_ = write_failure::failed;
    int confirmations_ = 0;
    int probes_ = 0; // of this round
    unsigned probe_ = 0;
    bool rejects_everything_ = false;
    bool lacks_comparison_ = false;
};

/// How far behind the event at the cursor the probe of this number looks, among so many events behind it.
/// @param others at least 1
/// @return 0: the next event; at most `others - 1`
[[nodiscard]] std::size_t probe_offset(unsigned number, std::size_t others) noexcept;

} // namespace trackd
