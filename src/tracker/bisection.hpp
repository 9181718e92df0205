// How many events a sink is given at once after it has refused some: finds those to blame without asking for each.
#pragma once

#include <algorithm>
#include <cstddef>

namespace trackd {

/// Decisions only. A refused write is halved until it is taken, or consists of one event; what was refused together
/// is halved on until its last event. Behind a culprit the writes double again, so that neither one bad event among
/// thousands nor thousands in a row take many more writes than there are bad events.
class bisection {
public:
    /// How many events the next write may have, at least 1.
    [[nodiscard]] std::size_t most() const noexcept {
        return suspects_ > 0 ? std::min((suspects_ + 1) / 2, most_) : most_;
    }

    /// The sink has refused so many together, at least 2. They are still the next ones.
    void refused(std::size_t events) noexcept {
        suspects_ = events;
        most_ = (events + 1) / 2;
    }

    /// The sink has taken so many, as all that it was given.
    void taken(std::size_t events) noexcept {
        if (suspects_ > events) {
            suspects_ -= events;
            return;
        }
        suspects_ = 0;
        most_ = most_ > everything / 2 ? everything : most_ * 2;
    }

    /// The next event was to blame, and is gone.
    void culprit_found() noexcept {
        suspects_ = 0;
        most_ = 1;
    }

private:
    static constexpr auto everything = static_cast<std::size_t>(-1);

    std::size_t most_ = everything;
    std::size_t suspects_ = 0; // so many of the next events were refused together
};

} // namespace trackd
