#include "intake/keys.hpp"

#include "base/ascii.hpp"

#include <algorithm>
#include <functional>
#include <unordered_set>
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

bool has_hash(const key_options& options, const base::sha256_digest& hash) {
    return std::ranges::find(options.hashes, hash) != options.hashes.end();
}

std::shared_ptr<const key> with_hash_of(const key_ring* in, const key_options& other) {
    return first(in, [&](const key_options& one) {
        return std::ranges::any_of(other.hashes, [&](const auto& hash) { return has_hash(one, hash); });
    });
}

std::shared_ptr<const key> with_name(const key_ring* in, std::string_view name) {
    return first(in, [&](const key_options& one) { return one.name == name; });
}

using note_line = std::function<void(const std::string& name, const std::string& change)>;

void note_hashes(const key_options& before, const key_options& after, const note_line& note) {
    const auto note_missing = [&](const key_options& from, const key_options& in, const char* change) {
        for (const auto& hash : from.hashes)
            if (!has_hash(in, hash)) note(after.name, "hash " + fingerprint(hash) + " " + change);
    };
    note_missing(after, before, "added");
    note_missing(before, after, "removed");
}

bool same_limits(const key_options& one, key_options other) {
    other.hashes = one.hashes;
    return one == other;
}

std::vector<std::string> differences(const key_ring* before, const key_ring* after) {
    std::vector<std::string> lines;
    const note_line note = [&](const std::string& name, const std::string& change) {
        lines.push_back("key " + name + ": " + change);
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
                continue;
            }
            note_hashes(old->options(), one->options(), note);
            if (!same_limits(old->options(), one->options())) note(one->name(), "other limits");
        }
    }
    return lines;
}

/// The rates with which the keys of a new ring go on: no two keys have the same.
class rates_of_keys {
public:
    /// @param keys of the new ring
    rates_of_keys(const key_ring* before, const std::vector<key_options>& keys) : before_{before} {
        for (const auto& options : keys)
            if (const auto old = with_name(before, options.name)) taken_.insert(old.get());
    }

    [[nodiscard]] std::shared_ptr<key::rates> of(const key_options& options) {
        if (const auto old = with_name(before_, options.name)) return old->sent();
        const auto renamed = with_hash_of(before_, options);
        return renamed && taken_.insert(renamed.get()).second ? renamed->sent()
                                                              : std::make_shared<key::rates>();
    }

private:
    const key_ring* before_;
    std::unordered_set<const key*> taken_;
};

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

key_ring::key_ring(
    std::vector<key_options> keys, const key_ring* before, key_numbers& numbers, key_use_history& history,
    clock& time
) {
    rates_of_keys rates{before, keys};
    for (auto& options : keys) {
        key::uses uses;
        for (const auto& hash : options.hashes) {
            hashes_.push_back({hash, keys_.size(), uses.size()});
            uses.push_back(history.of(hash));
        }
        auto sent = rates.of(options);
        const auto number = numbers.of(options.name);
        keys_.push_back(
            std::make_shared<const key>(std::move(options), number, std::move(sent), std::move(uses), time)
        );
    }
}

found_key key_ring::find(std::string_view text) const {
    const auto hash = base::sha256(text);
    std::size_t found = 0; // counted from 1
    for (std::size_t i = 0; i < hashes_.size(); ++i) {
        const auto is_same = std::size_t{base::same_in_constant_time(hash, hashes_[i].hash)};
        found |= (i + 1) & (std::size_t{0} - is_same); // hashes are unique: at most one contributes
    }
    if (found == 0) return {};
    const auto& same = hashes_[found - 1];
    const auto& owner = keys_[same.key];
    return {owner, owner->hash_uses()[same.hash_index].get()};
}

std::shared_ptr<const key_ring> shared_key_ring::get() const {
    const std::scoped_lock lock{mutex_};
    return ring_;
}

std::vector<std::string> shared_key_ring::replace(std::vector<key_options> keys, clock& time) {
    const std::scoped_lock lock{mutex_};
    const auto before = ring_;
    const auto after =
        keys.empty()
            ? nullptr
            : std::make_shared<const key_ring>(std::move(keys), before.get(), numbers_, history_, time);
    history_.trim();
    ring_ = after;
    current_.store(after.get(), std::memory_order_release);
    return differences(before.get(), after.get());
}

key_numbers shared_key_ring::numbers() const {
    const std::scoped_lock lock{mutex_};
    return numbers_;
}

} // namespace trackd::intake
