// When each hash of the keys was used first and last: what an operator watches while clients move to a new key.
#pragma once

#include "base/sha256.hpp"

#include <trackd/wall_time.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace trackd::intake {

/// First and last use of one hash by the time of day, in whole seconds. Any thread.
class key_use {
public:
    /// Stores at most once a second, so that threads share the cache line. After the machine's clock was set back,
    /// both are as it says now.
    void record(wall_time now) noexcept;

    /// @return nothing if it was never used
    [[nodiscard]] std::optional<wall_time> first() const noexcept { return time_of(first_); }

    [[nodiscard]] std::optional<wall_time> last() const noexcept { return time_of(last_); }

private:
    using second = std::int64_t; // since 1970

    static constexpr second never = std::numeric_limits<second>::min();

    [[nodiscard]] static std::optional<wall_time> time_of(const std::atomic<second>& at) noexcept;

    std::atomic<second> first_{never};
    std::atomic<second> last_{never};
};

/// The uses of all hashes since the start of the process, also of those that no key has at present: a hash that comes
/// back goes on with its own. The caller keeps threads apart.
class key_use_history {
public:
    /// How many hashes are remembered that no key has.
    static constexpr std::size_t max_removed = 1000;

    [[nodiscard]] std::shared_ptr<key_use> of(const base::sha256_digest& hash);

    /// Forgets the hashes that no key has, if they are more than `max_removed`.
    void trim();

private:
    std::map<base::sha256_digest, std::shared_ptr<key_use>> uses_;
};

/// The first 8 digits of a hash, which tell the hashes of a key apart in `/status` and the log.
[[nodiscard]] std::string fingerprint(const base::sha256_digest& hash);

} // namespace trackd::intake
