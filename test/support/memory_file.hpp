// A file of the journal in memory, for tests of what is in it rather than of what a disk does to it.
#pragma once

#include "backlog/file_system.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <utility>

namespace trackd::test {

/// `bytes` may be changed between any two calls. Syncs are counted, and do nothing.
class memory_file : public journal::file {
public:
    memory_file() = default;

    explicit memory_file(std::string content) : bytes{std::move(content)} {}

    [[nodiscard]] std::size_t read_at(std::uint64_t offset, std::span<char> into) override {
        ++reads;
        if (offset >= bytes.size()) return 0;
        const auto from = static_cast<std::size_t>(offset);
        const auto count = std::min({into.size(), bytes.size() - from, most_at_once});
        std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(from), count, into.begin());
        bytes_read += count;
        return count;
    }

    [[nodiscard]] std::size_t write_at(std::uint64_t offset, std::span<const char> from) override {
        const auto count = std::min(from.size(), most_at_once);
        bytes.resize(std::max(bytes.size(), static_cast<std::size_t>(offset) + count));
        std::copy_n(from.begin(), count, bytes.begin() + static_cast<std::ptrdiff_t>(offset));
        return count;
    }

    void sync() override { ++syncs; }

    void truncate(std::uint64_t to) override { bytes.resize(static_cast<std::size_t>(to)); }

    void reserve(std::uint64_t to) override {
        bytes.resize(std::max(bytes.size(), static_cast<std::size_t>(to)));
    }

    [[nodiscard]] std::uint64_t size() override { return bytes.size(); }

    std::string bytes;
    std::size_t most_at_once = std::numeric_limits<std::size_t>::max(); ///< that one call reads or writes
    std::size_t reads = 0;
    std::size_t bytes_read = 0;
    std::size_t syncs = 0;
};

} // namespace trackd::test
