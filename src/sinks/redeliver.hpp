// Gives dead letters to their sink once more, when whatever made it refuse them has been mended.
#pragma once

#include "sinks/dead_letter_file.hpp"

#include <trackd/sink.hpp>

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>

namespace trackd::sinks {

struct redelivery {
    std::uint64_t delivered = 0; ///< and dead letters no more
    std::uint64_t refused = 0;   ///< again: they stay
    std::uint64_t staying = 0;   ///< at the beginning of the file, done with: where the next portion begins
    bool finished = false;       ///< it came to the end of the file
    std::string error; ///< not empty: why the rest stays; it ended before its time, or lines were no letters
};

/// A part of a file, so that the sink can be written to between two of them.
struct letter_portion {
    std::uint64_t from = 0;                              ///< so many letters at the beginning are left alone
    std::uint64_t most = static_cast<std::uint64_t>(-1); ///< are given to the sink
    std::uint64_t end =
        static_cast<std::uint64_t>(-1); ///< those behind so many are left alone: they came later
};

/// Those that the sink takes leave the file at the end. If the process ends before that they stay, and may be delivered
/// twice. Lines that are no letters are gone over, and said by the portion that comes to the end. Called where the sink may
/// be written to.
/// @param wanted asked once for each letter of the portion
[[nodiscard]] redelivery redeliver(
    dead_letter_file& from, sink& to, const std::function<bool(const dead_letter&)>& wanted,
    letter_portion portion, const std::stop_token& stop
);

} // namespace trackd::sinks
