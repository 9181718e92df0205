#include "intake/key_use.hpp"

#include <algorithm>

namespace trackd::intake {

void key_use::record(wall_time now) noexcept {
    constexpr auto relaxed = std::memory_order_relaxed;
    const auto current = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
    if (last_.load(relaxed) == current) return;
    last_.store(current, relaxed);
    const auto first = first_.load(relaxed);
    if (first == never || first > current) first_.store(current, relaxed);
}

std::optional<wall_time> key_use::time_of(const std::atomic<second>& at) noexcept {
    const auto seconds = at.load(std::memory_order_relaxed);
    if (seconds == never) return std::nullopt;
    return std::chrono::sys_seconds{std::chrono::seconds{seconds}};
}

std::shared_ptr<key_use> key_use_history::of(const base::sha256_digest& hash) {
    auto& use = uses_[hash];
    if (!use) use = std::make_shared<key_use>();
    return use;
}

void key_use_history::trim() {
    const auto is_removed = [](const auto& entry) { return entry.second.use_count() == 1; };
    const auto removed = std::ranges::count_if(uses_, is_removed);
    if (static_cast<std::size_t>(removed) > max_removed) std::erase_if(uses_, is_removed);
}

std::string fingerprint(const base::sha256_digest& hash) {
    return base::to_hex(hash).substr(0, 8);
}

} // namespace trackd::intake
