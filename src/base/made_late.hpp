// Something that is only made when it is needed, and that other threads may look at.
#pragma once

#include <atomic>

namespace trackd::base {

/// A value that one thread makes when it first needs it, and that any thread may look at. Stays until this is destroyed.
template <class T>
class made_late {
public:
    made_late() = default;
    made_late(const made_late&) = delete;
    made_late& operator=(const made_late&) = delete;

    ~made_late() { delete made_.load(std::memory_order_acquire); }

    /// Its thread.
    [[nodiscard]] T& get() {
        auto* const made = made_.load(std::memory_order_relaxed);
        return made != nullptr ? *made : make();
    }

    /// Any thread. Null: nobody has needed it yet.
    [[nodiscard]] const T* look() const noexcept { return made_.load(std::memory_order_acquire); }

private:
    [[gnu::noinline]] T& make() {
        auto* const made = new T{};
        made_.store(made, std::memory_order_release);
        return *made;
    }

    std::atomic<T*> made_ = nullptr;
};

} // namespace trackd::base
