// The keys that clients send events with: what each may do, and the ring of all that are in force.
#pragma once

#include "base/sha256.hpp"
#include "intake/key_use.hpp"
#include "intake/rate.hpp"

#include <trackd/clock.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace trackd::intake {

/// What is configured of a key.
struct key_options {
    std::string name;
    std::vector<base::sha256_digest> hashes;
    std::vector<std::string> sources;    ///< empty: any
    std::vector<std::string> origins;    ///< in lower case, `*` for any; empty: any
    std::uint64_t events_per_second = 0; ///< 0: any number
    std::uint64_t bytes_per_second = 0;  ///< 0: any number

    bool operator==(const key_options&) const = default;
};

/// One key that is in force. Immutable but for what was sent with it. Any thread.
class key {
public:
    /// What is kept when the options change.
    struct rates {
        rate events;
        rate bytes;
    };

    /// One for each of the options' hashes, in their order.
    using uses = std::vector<std::shared_ptr<key_use>>;

    /// @param number see `key_numbers`
    key(key_options options, std::size_t number, std::shared_ptr<rates> sent, uses uses_of_hashes,
        clock& time)
        : options_{std::move(options)}, number_{number}, sent_{std::move(sent)},
          uses_{std::move(uses_of_hashes)}, time_{time} {}

    [[nodiscard]] const key_options& options() const noexcept { return options_; }

    [[nodiscard]] const std::string& name() const noexcept { return options_.name; }

    [[nodiscard]] std::size_t number() const noexcept { return number_; }

    [[nodiscard]] const std::shared_ptr<rates>& sent() const noexcept { return sent_; }

    [[nodiscard]] const uses& hash_uses() const noexcept { return uses_; }

    /// Whether an event may name this source. The key's own name is always one.
    [[nodiscard]] bool allows_source(std::string_view source) const noexcept;

    /// Whether a web page of this origin may use it.
    /// @param origin as the request has it; empty: it comes from no web page
    [[nodiscard]] bool allows_origin(std::string_view origin) const noexcept;

    /// Takes all of them, or none.
    /// @return in how many seconds, 1 or more, it may be worth to try again; nothing if they were taken
    [[nodiscard]] std::optional<std::chrono::seconds> take_events(std::uint64_t count) const noexcept;
    [[nodiscard]] std::optional<std::chrono::seconds> take_bytes(std::uint64_t count) const noexcept;

    /// They were not stored after all.
    void give_back_events(std::uint64_t count) const noexcept;

private:
    const key_options options_;
    const std::size_t number_;
    const std::shared_ptr<rates> sent_;
    const uses uses_;
    clock& time_;
};

/// A key, and the use of the one of its hashes that was looked up.
struct found_key {
    std::shared_ptr<const key> owner; ///< null if there is no such key
    key_use* use = nullptr;           ///< the owner's

    explicit operator bool() const noexcept { return owner != nullptr; }
};

/// Gives the names of keys numbers, for those who count by key. A name keeps its number, also while no key has it; so
/// that whoever counts needs no more memory with each change of the keys, only so many get one of their own.
class key_numbers {
public:
    static constexpr std::size_t none = 0;          ///< stands for no key
    static constexpr std::size_t most = 200;        ///< the names that have a number of their own
    static constexpr std::size_t others = most + 1; ///< stands for all that came later
    static constexpr std::size_t count = most + 2;  ///< how many numbers there are

    [[nodiscard]] std::size_t of(const std::string& name);

    /// The name of this number; `none` and `other` for those that are nobody's.
    [[nodiscard]] std::string name(std::size_t number) const;

private:
    std::vector<std::string> names_; // from the number 1 on
};

/// All keys that are in force at a time. Immutable. Any thread.
class key_ring {
public:
    /// @param before  the ring in force until now, may be null: a key keeps its rates as long as its name stays, or
    ///                else, renamed, one of its hashes
    /// @param numbers gives each key its own
    /// @param history gives each hash its use, which lasts longer than the ring
    /// @param time    outlives the ring and its keys
    key_ring(
        std::vector<key_options> keys, const key_ring* before, key_numbers& numbers, key_use_history& history,
        clock& time
    );

    /// Compares with all hashes of all keys, whatever it finds, and in constant time.
    /// @param text as the client gave it
    [[nodiscard]] found_key find(std::string_view text) const;

    [[nodiscard]] const std::vector<std::shared_ptr<const key>>& keys() const noexcept { return keys_; }

private:
    struct entry {
        base::sha256_digest hash;
        std::size_t key;        // in `keys_`
        std::size_t hash_index; // in the key's hashes
    };

    std::vector<std::shared_ptr<const key>> keys_;
    std::vector<entry> hashes_; // of all keys
};

/// The ring that is in force, for all threads. Replaced as a whole: who holds one goes on with it.
class shared_key_ring {
public:
    /// Null as long as there are no keys.
    [[nodiscard]] std::shared_ptr<const key_ring> get() const;

    /// Takes the keys into force, and says so in words.
    /// @return what is different now, a line each: nothing if nothing is
    std::vector<std::string> replace(std::vector<key_options> keys, clock& time);

    /// Of all keys that are or were in force.
    [[nodiscard]] key_numbers numbers() const;

    /// Whether this is the one, for those who hold one already: costs no lock. What they hold cannot be mistaken for
    /// another that got its address, as long as they hold it.
    [[nodiscard]] bool is(const key_ring* held) const noexcept {
        return current_.load(std::memory_order_acquire) == held;
    }

private:
    mutable std::mutex mutex_;
    std::shared_ptr<const key_ring> ring_;
    key_numbers numbers_;
    key_use_history history_;
    std::atomic<const key_ring*> current_ = nullptr;
};

} // namespace trackd::intake
