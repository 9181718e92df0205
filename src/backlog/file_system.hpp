// The seam between the journal and the disk: every file operation that can fail goes through here, so that tests can
// make each of them fail, or cut the power after any of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace trackd::journal {

/// One open file. Closed by the destructor, which syncs nothing.
///
/// All members throw std::system_error with the errno, and a text that names the operation and the path. Used by one
/// thread at a time, but for `read_at`, which any thread may call beside the others.
class file {
public:
    virtual ~file() = default;

    /// As pread(2): may read less; 0 is the end of the file.
    [[nodiscard]] virtual std::size_t read_at(std::uint64_t offset, std::span<char> into) = 0;

    /// As pwrite(2): may write less than all, which often announces a full disk; the caller goes on with the rest.
    [[nodiscard]] virtual std::size_t write_at(std::uint64_t offset, std::span<const char> bytes) = 0;

    /// Returns when what was written is on stable storage (fdatasync). After it has thrown once it proves nothing any
    /// more: never call it again to make up for that.
    virtual void sync() = 0;

    virtual void truncate(std::uint64_t size) = 0;

    /// Reserves room up to `size`, so that later writes within it do not meet a full disk. What is new reads as
    /// zeros. Where it throws, the file may have grown by a part of it.
    virtual void reserve(std::uint64_t size) = 0;

    [[nodiscard]] virtual std::uint64_t size() = 0;
};

enum class open_mode {
    read,   ///< must exist
    write,  ///< must exist; also reads
    create, ///< must not exist; also reads; owner only (0600)
};

/// Throws as `file` does. Any thread.
class file_system {
public:
    virtual ~file_system() = default;

    [[nodiscard]] virtual std::unique_ptr<file> open(const std::filesystem::path& path, open_mode mode) = 0;

    /// Replaces what is there.
    virtual void rename(const std::filesystem::path& from, const std::filesystem::path& to) = 0;

    virtual void remove(const std::filesystem::path& path) = 0;

    /// Makes renames, creations and removals in the directory survive a power cut.
    virtual void sync_directory(const std::filesystem::path& directory) = 0;

    /// Makes one directory, owner only (0700), unless it exists.
    virtual void make_directory(const std::filesystem::path& path) = 0;

    /// Names of the regular files in it, sorted.
    [[nodiscard]] virtual std::vector<std::string> list(const std::filesystem::path& directory) = 0;

    /// What an unprivileged process could still write there, in bytes.
    [[nodiscard]] virtual std::uint64_t free_bytes(const std::filesystem::path& directory) = 0;
};

/// The machine's own.
[[nodiscard]] file_system& real_file_system() noexcept;

/// Writes zeros over [from, end): what `reserve` does where the file system cannot.
void write_zeros(file& to, std::uint64_t from, std::uint64_t end);

/// Throws std::system_error, whose text is `<path>: <operation>: <what the error means>`.
[[noreturn]] void throw_error(const std::filesystem::path& path, std::string_view operation, int error);

/// Writes all of it, however many calls that takes. A call that writes nothing throws ENOSPC.
void write_fully(file& to, std::uint64_t offset, std::span<const char> bytes);

/// Reads until `into` is full or the file ends.
[[nodiscard]] std::size_t read_fully(file& from, std::uint64_t offset, std::span<char> into);

} // namespace trackd::journal
