// The events of one request travel together: all of them, or none.
#pragma once

#include <trackd/batch.hpp>

namespace trackd::intake {

/// Takes back what was appended to a batch since, unless it is kept.
class all_or_nothing {
public:
    /// @param events outlives this
    explicit all_or_nothing(batch& events) noexcept : events_{events}, start_{events.end_mark()} {}

    ~all_or_nothing() {
        if (!kept_) events_.truncate(start_);
    }

    all_or_nothing(const all_or_nothing&) = delete;
    all_or_nothing& operator=(const all_or_nothing&) = delete;

    /// Where it began.
    [[nodiscard]] batch::mark start() const noexcept { return start_; }

    void keep() noexcept { kept_ = true; }

private:
    batch& events_;
    batch::mark start_;
    bool kept_ = false;
};

} // namespace trackd::intake
