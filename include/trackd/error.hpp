// Why the tracker did not take a batch, or could not say that it is safe.
#pragma once

#include <boost/system/error_code.hpp>

#include <type_traits>

namespace trackd {

enum class errc {
    backlog_full = 1, ///< no room: nothing was stored; try again later
    too_large,        ///< more than the whole backlog may hold: nothing was stored, and never will be
    sealed,           ///< the tracker takes nothing any more: nothing was stored
    not_confirmed,    ///< stored, but not confirmed by every sink within `ack_timeout`, or before the drain
                      ///< ended
    journal_full,     ///< no room on the disk: nothing was stored; try again later
    journal_failed,   ///< the disk failed: it may be stored, or not; post it again with the same id
    journal_slow, ///< not on the disk within `ack_timeout`, or before the drain ended: it may be stored, or not
    given_up,     ///< the caller cancelled, or its deadline passed, before admission: nothing was stored
};

[[nodiscard]] const boost::system::error_category& tracker_category() noexcept;

[[nodiscard]] inline boost::system::error_code make_error_code(errc e) noexcept {
    return {static_cast<int>(e), tracker_category()};
}

} // namespace trackd

template <>
struct boost::system::is_error_code_enum<trackd::errc> : std::true_type {};
