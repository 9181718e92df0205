// Deadlines of many, coarse and cheap: one timer a thread asks, each tick, who is late.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace trackd::http {

/// Ticks since some moment.
using tick_count = std::uint64_t;

inline constexpr tick_count no_deadline = UINT64_MAX;

/// Base of what may have a deadline. Leaves its sweep when it is destroyed.
class has_deadline {
public:
    has_deadline() = default;
    has_deadline(const has_deadline&) = delete;
    has_deadline& operator=(const has_deadline&) = delete;

    ~has_deadline() { unlink(); }

    [[nodiscard]] tick_count deadline() const noexcept { return deadline_; }

private:
    friend class deadline_sweep;

    void unlink() noexcept {
        if (next_ == nullptr) return;
        next_->previous_ = previous_;
        previous_->next_ = next_;
        next_ = previous_ = nullptr;
    }

    void link_before(has_deadline& other) noexcept {
        next_ = &other;
        previous_ = other.previous_;
        previous_->next_ = this;
        other.previous_ = this;
    }

    has_deadline* next_ = nullptr;
    has_deadline* previous_ = nullptr;
    tick_count deadline_ = no_deadline;
    tick_count looked_at_ = 0; // the tick whose slot it is linked in
};

/// A ring of slots, one a tick. To move a deadline later, which is what every request does, is one store: the
/// member is found early, in its old slot, and moved then.
class deadline_sweep {
public:
    explicit deadline_sweep(tick_count now = 0) noexcept : now_(now) {
        for (auto& slot : slots_)
            slot.next_ = slot.previous_ = &slot;
    }

    deadline_sweep(const deadline_sweep&) = delete;
    deadline_sweep& operator=(const deadline_sweep&) = delete;

    ~deadline_sweep() {
        for (auto& slot : slots_) {
            while (slot.next_ != &slot)
                slot.next_->unlink();
        }
    }

    /// The tick that `advance` was last called with.
    [[nodiscard]] tick_count now() const noexcept { return now_; }

    /// @param deadline a tick already swept means the next one
    void set(has_deadline& member, tick_count deadline) noexcept {
        member.deadline_ = deadline;
        if (member.next_ != nullptr && member.looked_at_ <= deadline) return;
        member.unlink();
        link(member);
    }

    void clear(has_deadline& member) noexcept { member.deadline_ = no_deadline; }

    /// Calls `late` for each member whose deadline has come; it has none then until it gets a new one. `late`
    /// may set deadlines and destroy the member.
    template <class Late>
    void advance(tick_count now, Late late) {
        if (now > now_ + slots_.size()) now_ = now - slots_.size(); // a round finds everybody
        while (now_ < now) {
            ++now_;
            auto& slot = slots_[now_ % slots_.size()];
            has_deadline due; // takes over the slot's ring: what is linked anew meanwhile is for later
            if (slot.next_ == &slot) continue;
            due.link_before(slot);
            slot.unlink();
            slot.next_ = slot.previous_ = &slot;
            while (due.next_ != &due)
                sweep_one(*due.next_, late);
            due.next_ = due.previous_ = nullptr;
        }
    }

private:
    template <class Late>
    void sweep_one(has_deadline& member, Late& late) {
        member.unlink();
        if (member.deadline_ <= now_) {
            member.deadline_ = no_deadline;
            late(member);
        } else if (member.deadline_ != no_deadline) {
            link(member);
        }
    }

    void link(has_deadline& member) noexcept {
        const auto horizon = now_ + slots_.size() - 1;
        member.looked_at_ = member.deadline_ <= now_     ? now_ + 1
                            : member.deadline_ < horizon ? member.deadline_
                                                         : horizon;
        member.link_before(slots_[member.looked_at_ % slots_.size()]);
    }

    std::array<has_deadline, 256> slots_;
    tick_count now_;
};

} // namespace trackd::http
