// Files that are done with, packed with zstd: how they become so, and how they are read.
#pragma once

#include "base/descriptor.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <string_view>
#include <vector>
#include <zstd.h>

namespace trackd::sinks {

/// Packs a file. When `to` is there, all of it is on the disk, and unpacks to the same bytes or to an error: it has a
/// checksum.
/// @param by   what it is called while it is written; replaced, and gone afterwards
/// @param to   in the same directory; replaced
/// @param stop ends it within some milliseconds
/// @return false if it was stopped
/// @throws std::system_error, std::runtime_error
[[nodiscard]] bool pack_file(
    const std::filesystem::path& from, const std::filesystem::path& by, const std::filesystem::path& to,
    const std::stop_token& stop
);

/// A packed file is cut off, or is not what it was.
class damaged_file : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// Reads a file from its front, packed or not, in bounded memory. Used by one thread at a time.
class file_reader {
public:
    /// @throws std::system_error
    explicit file_reader(std::filesystem::path path);
    file_reader(const file_reader&) = delete;
    file_reader& operator=(const file_reader&) = delete;

    /// Some of the bytes that come next, or none at the end.
    /// @return lives until the next call of anything here
    /// @throws std::system_error; damaged_file
    [[nodiscard]] std::string_view peek();

    /// Goes over so many of them.
    void consume(std::size_t bytes) noexcept { at_ += bytes; }

    /// Goes over as many bytes as there are, but no more than these. Costs nothing where the file is not packed.
    /// @return how many
    /// @throws as `peek`; std::runtime_error if it is asked to stop
    std::uint64_t skip(std::uint64_t bytes, const std::stop_token& stop);

    /// How many bytes there are, unpacked, as a packed file says itself at its front; nothing if it does not, or is not
    /// packed. Who asks first of all has it without any unpacking.
    [[nodiscard]] std::optional<std::uint64_t> stated_size() const noexcept;

    [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

private:
    struct free_context {
        void operator()(ZSTD_DCtx* context) const noexcept { ::ZSTD_freeDCtx(context); }
    };

    [[nodiscard]] bool fill();
    [[nodiscard]] bool unpack();

    const std::filesystem::path path_;
    const base::descriptor file_;
    std::vector<char> out_; // what `peek` shows
    std::size_t at_ = 0;
    std::size_t end_ = 0;
    // Of a packed file:
    std::unique_ptr<ZSTD_DCtx, free_context> context_;
    std::vector<char> in_;
    std::size_t in_at_ = 0;
    std::size_t in_end_ = 0;
    bool within_frame_ = false;
    bool more_within_ = false; // zstd may hold bytes for which there was no room
};

/// What a long read or write throws that is asked to stop.
/// @throws std::runtime_error if it is requested
void check_stop(const std::stop_token& stop);

} // namespace trackd::sinks
