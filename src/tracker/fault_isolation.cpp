#include "tracker/fault_isolation.hpp"

#include <algorithm>

namespace trackd {

namespace {

constexpr unsigned probe_numbers = 64; // then it begins again with the next event
constexpr std::size_t newest_few = 16; // some of which may have been probed before

} // namespace

failure_verdict
fault_isolation::failed(write_failure kind, std::size_t events, std::string_view error, bool others_passed) {
    if (!in_trial_) begin_trial();
    if (others_passed) passes_left_ = dead_letters_a_pass;
    if (suspects_ == 0) suspects_ = events;
    kind_ = kind;
    return events > 1 ? whole_batch_failed(events) : lone_event_failed(error);
}

void fault_isolation::begin_trial() noexcept {
    in_trial_ = true;
    failures_ = 0;
    passes_left_ = 0;
    confirmed_error_.clear();
    probe_ = 0;
    next_event();
}

void fault_isolation::next_event() noexcept {
    confirmations_ = 0;
    probes_ = 0;
    rejects_everything_ = false;
    lacks_comparison_ = false;
}

failure_verdict fault_isolation::whole_batch_failed(std::size_t events) noexcept {
    if (kind_ == write_failure::rejected || passes_left_ > 0) {
        splitter_.split(events);
        return failure_verdict::retry_now;
    }
    if (++failures_ >= patient_attempts) splitter_.start_small();
    return failure_verdict::retry_later;
}

failure_verdict fault_isolation::lone_event_failed(std::string_view error) {
    const bool rejected = kind_ == write_failure::rejected;
    if (!rejected && passes_left_ == 0 && ++failures_ <= patient_attempts)
        return failure_verdict::retry_later; // most failures are over soon, and probes cost order
    const bool is_known = !confirmed_error_.empty() && error == confirmed_error_;
    const int needed = rejected ? 0 : is_known ? confirmations_of_known : confirmations_needed;
    if (passes_left_ > 0 && confirmations_ >= needed) {
        confirmed_error_ = error;
        return failure_verdict::event_at_fault;
    }
    probes_ = 0;
    splitter_.start_small();
    return failure_verdict::probe_others;
}

failure_verdict fault_isolation::probe_passed() noexcept {
    passes_left_ = dead_letters_a_pass;
    rejects_everything_ = false;
    lacks_comparison_ = false;
    ++confirmations_;
    return kind_ == write_failure::rejected ? failure_verdict::retry_now : failure_verdict::retry_later;
}

failure_verdict fault_isolation::probe_failed(write_failure kind) noexcept {
    confirmations_ = 0;
    passes_left_ = 0;
    lacks_comparison_ = false;
    probe_ = (probe_ + 1) % probe_numbers;
    if (kind_ != write_failure::rejected || kind != write_failure::rejected)
        return failure_verdict::retry_later;
    if (++probes_ < probes_a_round) return failure_verdict::probe_others;
    rejects_everything_ = true;
    return failure_verdict::retry_later;
}

failure_verdict fault_isolation::nothing_to_probe() noexcept {
    probe_ = 0;
    lacks_comparison_ = kind_ == write_failure::rejected && probes_ == 0;
    rejects_everything_ = kind_ == write_failure::rejected && probes_ > 0;
    return failure_verdict::retry_later;
}

void fault_isolation::passed(std::size_t events) noexcept {
    splitter_.passed(events);
    suspects_ -= std::min(suspects_, events);
    in_trial_ &= suspects_ > 0;
    passes_left_ = dead_letters_a_pass;
    probe_ = 0;
    next_event();
}

void fault_isolation::dead_lettered(std::size_t events) noexcept {
    suspects_ -= std::min(suspects_, events);
    if (splitter_.limit() == 1) splitter_.start_small(); // it was isolated; a sink can also name it
    passes_left_ = std::max(passes_left_ - 1, 0);
    next_event();
}

void fault_isolation::reset() noexcept {
    suspects_ = 0;
    passes_left_ = 0;
    in_trial_ = false;
    splitter_ = {};
    next_event();
}

// The next one, the newest few, then halves, quarters, eighths: the van der Corput sequence.
std::size_t probe_offset(unsigned number, std::size_t others) noexcept {
    if (number == 0) return 0;
    if (number == 1) return others - std::min<std::size_t>(newest_few, (others + 1) / 2);
    double fraction = 0;
    double digit = 0.5;
    for (auto bits = number - 1; bits > 0; bits /= 2, digit /= 2)
        if (bits % 2 == 1) fraction += digit;
    return std::min(static_cast<std::size_t>(fraction * static_cast<double>(others)), others - 1);
}

} // namespace trackd
