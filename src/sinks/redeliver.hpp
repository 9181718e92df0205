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
    std::string error;           ///< not empty: it ended before its time, and why; the rest stays
};

/// Those that the sink takes leave the file at the end. If the process ends before that they stay, and may be delivered
/// twice. Called where the sink may be written to.
/// @param wanted asked once for each letter
/// @throws as `dead_letter_file::for_each`
[[nodiscard]] redelivery redeliver(
    dead_letter_file& from, sink& to, const std::function<bool(const dead_letter&)>& wanted,
    const std::stop_token& stop
);

} // namespace trackd::sinks
