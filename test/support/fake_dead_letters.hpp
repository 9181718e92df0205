// Dead letters that a test can look at.
#pragma once

#include <trackd/dead_letters.hpp>

#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

namespace trackd::test {

/// What was kept: shared between the test and the sink's thread.
class kept_letters {
public:
    struct letter {
        std::string id;
        std::string reason;
        std::uint64_t attempts = 0;

        bool operator==(const letter&) const = default;
    };

    [[nodiscard]] std::vector<letter> all() const {
        const std::lock_guard lock{mutex_};
        return all_;
    }

    /// There is no room for more, until it is emptied by `make_room`.
    void be_full() {
        const std::lock_guard lock{mutex_};
        full_ = true;
    }

    void make_room() {
        const std::lock_guard lock{mutex_};
        full_ = false;
    }

private:
    friend class fake_dead_letters;
    mutable std::mutex mutex_;
    std::vector<letter> all_;
    bool full_ = false;
};

class fake_dead_letters final : public dead_letters {
public:
    explicit fake_dead_letters(std::shared_ptr<kept_letters> kept) : kept_{std::move(kept)} {}

    void keep(std::span<const event_view> events, const death& of) override {
        const std::lock_guard lock{kept_->mutex_};
        if (kept_->full_) throw std::runtime_error{"no room"};
        for (const auto& event : events)
            kept_->all_.push_back({std::string{event.id}, std::string{of.reason}, of.attempts});
    }

private:
    std::shared_ptr<kept_letters> kept_;
};

} // namespace trackd::test
