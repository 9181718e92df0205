// Somebody who looks on while the tracker takes events in, such as a live tail.
#pragma once

#include <trackd/batch.hpp>

#include <atomic>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace trackd {

/// So many events of a batch, one behind the other, that the same client sent.
struct sent_events {
    std::size_t events = 0;
    std::string sender; ///< as `lane::admit` was told; empty: it was not
};

/// A batch as it was taken in.
struct shown_batch {
    std::shared_ptr<const batch> events;
    std::vector<sent_events>
        senders; ///< in the order of the events; of those that are left over nobody knows
};

/// Outlives the tracker that it looks at. While it does not look it costs the tracker one relaxed load a batch.
class onlooker {
public:
    onlooker() = default;
    onlooker(const onlooker&) = delete;
    onlooker& operator=(const onlooker&) = delete;
    virtual ~onlooker() = default;

    /// Whether it wants to be shown anything. Any thread.
    [[nodiscard]] bool looks() const noexcept { return looks_.load(std::memory_order_relaxed); }

    /// Gets what was just taken in, and may be refused yet by a full disk. On the tracker's strand, which waits
    /// meanwhile: has to be quick. Also a little after it has ceased to look.
    virtual void show(shown_batch shown) = 0;

protected:
    /// Any thread.
    void look(bool wanted) noexcept { looks_.store(wanted, std::memory_order_relaxed); }

private:
    std::atomic<bool> looks_{false};
};

} // namespace trackd
