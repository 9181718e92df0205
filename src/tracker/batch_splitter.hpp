// How many events the next write may have after a write of several has failed.
#pragma once

#include <algorithm>
#include <cstddef>

namespace trackd {

/// Decisions only. A failed write is halved until one half passes or a single event is left; the rest of a failed write is
/// halved on until its last event. Behind an isolated event the writes double again, so that neither one bad event
/// among thousands nor thousands in a row take many more writes than there are bad events.
class batch_splitter {
public:
    /// How many events the next write may have, at least 1.
    [[nodiscard]] std::size_t limit() const noexcept {
        return suspects_ > 0 ? std::min((suspects_ + 1) / 2, limit_) : limit_;
    }

    /// A write of so many events failed, at least 2. They are still the next ones.
    void split(std::size_t events) noexcept {
        suspects_ = events;
        limit_ = (events + 1) / 2;
    }

    /// All events of a write were stored.
    void passed(std::size_t events) noexcept {
        if (suspects_ > events) {
            suspects_ -= events;
            return;
        }
        suspects_ = 0;
        limit_ = limit_ > everything / 2 ? everything : limit_ * 2;
    }

    /// The next write has one event, the ones after it double.
    void start_small() noexcept {
        suspects_ = 0;
        limit_ = 1;
    }

private:
    static constexpr auto everything = static_cast<std::size_t>(-1);

    std::size_t limit_ = everything;
    std::size_t suspects_ = 0; // that many of the next events failed together
};

} // namespace trackd
