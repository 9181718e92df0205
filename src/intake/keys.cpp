#include "intake/keys.hpp"

#include "base/ascii.hpp"

#include <algorithm>
#include <utility>

namespace trackd::intake {

namespace {

std::optional<std::chrono::seconds> in_seconds(std::optional<clock::duration> wait) noexcept {
    if (!wait) return std::nullopt;
    return std::max(std::chrono::ceil<std::chrono::seconds>(*wait), std::chrono::seconds{1});
}

template <class Is>
std::shared_ptr<const key> first(const key_ring* in, const Is& is) {
    if (in == nullptr) return nullptr;
    const auto found = std::ranges::find_if(in->keys(), [&](const auto& one) { return is(one->options()); });
    return found == in->keys().end() ? nullptr : *found;
}

std::shared_ptr<const key> with_hash(const key_ring* in, const base::sha256_digest& hash) {
    return first(in, [&](const key_options& one) { return one.hash == hash; });
}

std::shared_ptr<const key> with_name(const key_ring* in, std::string_view name) {
    return first(in, [&](const key_options& one) { return one.name == name; });
}

std::vector<std::string> differences(const key_ring* before, const key_ring* after) {
    std::vector<std::string> lines;
    const auto note = [&](const std::string& name, const char* what) {
        lines.push_back("key " + name + ": " + what);
    };
    if (before != nullptr) {
        for (const auto& one : before->keys())
            if (!with_name(after, one->name())) note(one->name(), "removed");
    }
    if (after != nullptr) {
        for (const auto& one : after->keys()) {
            const auto old = with_name(before, one->name());
            if (!old) {
                note(one->name(), "added");
            } else if (old->options().hash != one->options().hash) {
                note(one->name(), "replaced by another key");
            } else if (old->options() != one->options()) {
                note(one->name(), "other limits");
            }
        }
    }
    return lines;
}

} // namespace

bool key::allows_source(std::string_view source) const noexcept {
    return options_.sources.empty() || source == options_.name ||
           std::ranges::find(options_.sources, source) != options_.sources.end();
}

bool key::allows_origin(std::string_view origin) const noexcept {
    return options_.origins.empty() || origin.empty() ||
           std::ranges::any_of(options_.origins, [&](std::string_view one) {
               return one == "*" || base::equal_ignoring_case(one, origin);
           });
}

std::optional<std::chrono::seconds> key::take_events(std::uint64_t count) const noexcept {
    if (options_.events_per_second == 0) return std::nullopt;
    return in_seconds(sent_->events.take(count, options_.events_per_second, time_.now()));
}

std::optional<std::chrono::seconds> key::take_bytes(std::uint64_t count) const noexcept {
    if (options_.bytes_per_second == 0) return std::nullopt;
    return in_seconds(sent_->bytes.take(count, options_.bytes_per_second, time_.now()));
}

void key::give_back_events(std::uint64_t count) const noexcept {
    if (options_.events_per_second != 0) sent_->events.give_back(count, options_.events_per_second);
}

std::size_t key_numbers::of(const std::string& name) {
    const auto known = std::ranges::find(names_, name);
    const auto index = static_cast<std::size_t>(known - names_.begin());
    if (index == most) return others;
    if (known == names_.end()) names_.push_back(name);
    return index + 1;
}

std::string key_numbers::name(std::size_t number) const {
    if (number == none) return "none";
    return number <= names_.size() ? names_[number - 1] : "other";
}

key_ring::key_ring(std::vector<key_options> keys, const key_ring* before, key_numbers& numbers, clock& time) {
    for (auto& options : keys) {
        const auto old = with_hash(before, options.hash);
        auto sent = old ? old->sent() : std::make_shared<key::rates>();
        const auto number = numbers.of(options.name);
        keys_.push_back(std::make_shared<const key>(std::move(options), number, std::move(sent), time));
    }
}

std::shared_ptr<const key> key_ring::find(std::string_view text) const {
    const auto hash = base::sha256(text);
    std::size_t found = 0; // counted from 1
    for (std::size_t i = 0; i < keys_.size(); ++i) {
        const auto same = std::size_t{base::same_in_constant_time(hash, keys_[i]->options().hash)};
        found |= (i + 1) & (std::size_t{0} - same); // hashes are unique: at most one contributes
    }
    return found == 0 ? nullptr : keys_[found - 1];
}

std::shared_ptr<const key_ring> shared_key_ring::get() const {
    const std::scoped_lock lock{mutex_};
    return ring_;
}

std::vector<std::string> shared_key_ring::replace(std::vector<key_options> keys, clock& time) {
    const std::scoped_lock lock{mutex_};
    const auto before = ring_;
    const auto after = keys.empty()
                           ? nullptr
                           : std::make_shared<const key_ring>(std::move(keys), before.get(), numbers_, time);
    ring_ = after;
    current_.store(after.get(), std::memory_order_release);
    return differences(before.get(), after.get());
}

key_numbers shared_key_ring::numbers() const {
    const std::scoped_lock lock{mutex_};
    return numbers_;
}

} // namespace trackd::intake
