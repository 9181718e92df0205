// Does what the admin listener is asked to do with dead letters.
#pragma once

#include "admin/overview.hpp"
#include "config/settings.hpp"
#include "http/task.hpp"
#include "service/dead_letter_box.hpp"

#include <trackd/tracker.hpp>

#include <boost/asio/thread_pool.hpp>

#include <optional>
#include <set>
#include <string>

namespace trackd::service {

/// Lives on the thread of the admin listener. Letters are delivered on the sink's own thread, between its other writes, and
/// thrown away on one of the clerk's: a write that hangs keeps nobody from that. Of one sink it does one thing at a time:
/// who delivers letters counts them, and they must not become fewer meanwhile.
class dead_letter_clerk {
public:
    /// @param of, letters, delivering outlive this
    dead_letter_clerk(const config::settings& of, const dead_letter_box& letters, tracker& delivering);

    /// As `admin::overview::handle_dead_letters`.
    [[nodiscard]] http::task<admin::letters_report> handle(admin::letters_request what);

private:
    [[nodiscard]] http::task<admin::letters_report>
    deliver(sinks::dead_letter_file& from, const admin::letters_request& what);

    const config::settings& settings_;
    const dead_letter_box& letters_;
    tracker& tracker_;
    std::set<std::string> in_hand_; // of these sinks
    std::optional<boost::asio::thread_pool> thread_;
};

} // namespace trackd::service
