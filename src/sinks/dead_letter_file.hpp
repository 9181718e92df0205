// The dead letters of one sink, in a file of JSON Lines that people can read and `trackd dead-letters` can deliver.
#pragma once

#include "sinks/line_file.hpp"

#include <trackd/batch.hpp>
#include <trackd/dead_letters.hpp>
#include <trackd/wall_clock.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace trackd::sinks {

/// One that was kept.
struct dead_letter {
    std::string reason;
    std::string time; ///< when it became one: RFC 3339
    std::uint64_t attempts = 0;
    batch event; ///< exactly one

    [[nodiscard]] event_view view() const noexcept { return *event.begin(); }
};

/// Calls for each letter in the file, from the oldest on, until `look` returns false. Beside a process that keeps some
/// there: what it is just writing is not seen. A file that is not there has none.
/// @throws std::system_error; std::runtime_error at the end if a line was no letter: says the first one, how many more, and
///         what was expected
void for_each_letter(const std::filesystem::path& path, const std::function<bool(const dead_letter&)>& look);

/// Finds out whether a `dead_letter_file` can be made of the path; changes nothing.
/// @param path absolute
/// @throws as its constructor
void check_dead_letter_file(const std::filesystem::path& path);

/// A line looks like this, and `encoded` is the event as a batch encodes it (base64), so that what is delivered later is
/// what came, byte for byte:
///
///     {"reason":"…","time":"2026-11-21T08:15:30.000250Z","attempts":14,"event":{…CloudEvents JSON…},"encoded":"…"}
///
/// Any thread, and one process.
class dead_letter_file final : public dead_letters {
public:
    /// @param path      of the file, which is made with the first letter
    /// @param max_bytes that it may have; it is not grown beyond
    /// @throws std::system_error, std::runtime_error if there is a file that cannot be read, or is none of ours
    dead_letter_file(std::filesystem::path path, std::uint64_t max_bytes, wall_clock now = utc_now);

    void keep(std::span<const event_view> events, const death& of) override;

    /// As `for_each_letter`.
    void for_each(const std::function<bool(const dead_letter&)>& look) const;

    /// Takes away those that `is_wanted` says true to, which is asked once for each, from the oldest on. A line that is no
    /// letter stays. Where there is nothing to take away, nothing is written.
    /// @return how many were taken away
    /// @throws std::system_error, std::runtime_error: then all stay
    std::uint64_t remove_if(const std::function<bool(const dead_letter&)>& is_wanted);

    /// Takes away all lines, those that are no letters, too.
    /// @return, @throws as `remove_if`
    std::uint64_t remove_all();

    // These two wait for nobody.
    [[nodiscard]] std::uint64_t count() const noexcept { return count_; }

    [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }

    [[nodiscard]] const std::filesystem::path& path() const noexcept { return file_.path(); }

private:
    std::uint64_t remove(const std::vector<bool>& lines);
    void rewrite_without(const std::vector<bool>& lines);

    /// Of the file that takes the place of this one.
    [[nodiscard]] std::filesystem::path fresh_path() const { return path().string() + ".new"; }

    const std::uint64_t max_bytes_;
    const wall_clock now_;
    mutable std::mutex mutex_; // guards the file
    line_file file_;
    std::atomic<std::uint64_t> count_ = 0;
    std::atomic<std::uint64_t> bytes_ = 0;
};

} // namespace trackd::sinks
