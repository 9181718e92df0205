// When a sink is asked for its upkeep, and what is said of one that fails.
#pragma once

#include <trackd/clock.hpp>

#include <cstddef>
#include <set>
#include <string>

namespace trackd {

/// Decisions only. The first upkeep is due at once, the others some time after the last; one that has more to do is due
/// again at once.
class upkeep_schedule {
public:
    /// @param needed whether there is ever anything to do
    upkeep_schedule(bool needed, clock::duration every)
        : every_{every}, next_{needed ? clock::time_point{} : wakeup::never} {}

    /// When the next one is due.
    [[nodiscard]] clock::time_point next() const noexcept { return next_; }

    /// One has ended, and worked.
    void worked(bool has_more, clock::time_point now) {
        next_ = has_more ? now : now + every_;
        said_.clear();
    }

    /// One has ended, and failed.
    /// @return whether to say so: the first time that it fails so since it worked
    [[nodiscard]] bool failed(const std::string& error, clock::time_point now) {
        next_ = now + every_;
        return said_.size() < most_said && said_.insert(error).second;
    }

private:
    static constexpr std::size_t most_said = 10; // a text may hold what is never the same twice

    clock::duration every_;
    clock::time_point next_;
    std::set<std::string> said_;
};

} // namespace trackd
