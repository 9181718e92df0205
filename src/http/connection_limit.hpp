// How many connections may be open at once, over all workers, and from one address: the listeners take a slot before
// they accept. Behind a proxy an address has requests instead of connections.
#pragma once

#include "http/client_address.hpp"
#include "http/counters.hpp"
#include "http/peer_address.hpp"
#include "http/task.hpp"
#include "http/trusted_proxies.hpp"

#include <boost/asio/basic_waitable_timer.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <utility>

namespace trackd::http {

class connection_limit;

/// That something is counted as one of those that an address may have. Ends, on whatever thread, when it is destroyed.
class address_share {
public:
    address_share() = default; ///< of an address that is not counted

    address_share(address_share&& other) noexcept : in_(std::exchange(other.in_, nullptr)), of_(other.of_) {}

    address_share& operator=(address_share&& other) noexcept {
        std::swap(in_, other.in_);
        std::swap(of_, other.of_);
        return *this;
    }

    ~address_share();

private:
    friend class connection_limit;

    address_share(connection_limit& in, peer_address of) noexcept : in_(&in), of_(of) {}

    connection_limit* in_ = nullptr;
    peer_address of_{};
};

/// The right to have one connection open. Given back, on whatever thread, when it is destroyed.
class connection_slot {
public:
    connection_slot() = default; ///< holds nothing

    explicit connection_slot(connection_limit& from) noexcept : from_(&from) {}

    connection_slot(connection_slot&& other) noexcept
        : from_(std::exchange(other.from_, nullptr)), share_(std::move(other.share_)) {}

    connection_slot& operator=(connection_slot&&) = delete;
    ~connection_slot();

    [[nodiscard]] explicit operator bool() const noexcept { return from_ != nullptr; }

    /// Whose it is; null where it holds nothing.
    [[nodiscard]] connection_limit* limit() const noexcept { return from_; }

private:
    friend class connection_limit;

    connection_limit* from_ = nullptr;
    address_share share_; // as one of whose it is counted
};

/// Shared by the listeners, all of one thread, and outlives their connections.
class connection_limit {
public:
    /// @param executor the listeners'
    /// @param max      1 or more
    /// @param max_per_address 0: as many as there are slots
    /// @param uncounted       who may have as many as there are in any case: others stand behind them
    connection_limit(
        executor_type executor, std::size_t max, std::size_t max_per_address = 0,
        trusted_proxies uncounted = {}
    );

    /// @return an empty slot where all are taken. Any thread.
    [[nodiscard]] connection_slot try_take() noexcept;

    /// Takes one even if that is one too many: for the few that a closing listener still finds in its queue.
    [[nodiscard]] connection_slot take() noexcept;

    /// From now on these are the bounds: as in the constructor. What is open stays open, and what was not counted by
    /// its address stays so. On the executor.
    void set_bounds(std::size_t max, std::size_t max_per_address);

    [[nodiscard]] bool counts_addresses() const noexcept {
        return max_per_address_.load(std::memory_order_relaxed) != 0;
    }

    /// Counts something as one of this address, unless nothing of it is counted. Any thread.
    /// @return nothing where the address has all that it may have: that is counted, and it is to be turned away
    [[nodiscard]] std::optional<address_share> share_of(const client_address& address);

    /// The same for the slot, which is one of ours: as long as it is held.
    /// @return false: the connection is to be closed
    [[nodiscard]] bool assign(connection_slot& slot, const client_address& to);

    /// How often an address had too many. Any thread.
    [[nodiscard]] std::uint64_t turned_away() const noexcept {
        return turned_away_.load(std::memory_order_relaxed);
    }

    /// How often all slots were taken. Any thread.
    [[nodiscard]] std::uint64_t waits() const noexcept { return waits_.value(); }

    /// Returns when a slot may be free: try again. On the executor.
    [[nodiscard]] task<void> wait();

    /// Ends every wait. On the executor.
    void wake();

    /// Any thread.
    [[nodiscard]] std::size_t in_use() const noexcept { return in_use_.load(std::memory_order_relaxed); }

    [[nodiscard]] std::size_t max() const noexcept { return max_; }

private:
    friend class address_share;
    friend class connection_slot;
    void give_back() noexcept;
    void give_back_share(peer_address of) noexcept;

    using timer = boost::asio::basic_waitable_timer<
        std::chrono::steady_clock, boost::asio::wait_traits<std::chrono::steady_clock>, executor_type>;

    std::atomic<std::size_t> max_;
    counter waits_;
    std::atomic<std::size_t> max_per_address_;
    const trusted_proxies uncounted_;
    std::atomic<std::uint64_t> turned_away_ = 0;
    std::mutex mutex_;
    std::map<peer_address, std::size_t> by_address_; // those that have any
    std::atomic<std::size_t> in_use_ = 0;
    std::atomic<bool> wanted_ = false; // somebody waits, or is about to
    timer freed_;                      // never expires: cancelled when a slot was given back
};

} // namespace trackd::http
