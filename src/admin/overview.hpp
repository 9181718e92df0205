// What the admin pages speak of: an interface, because only the service knows all the parts.
#pragma once

#include "admin/key_activity.hpp"
#include "base/task_group.hpp"
#include "http/rejection.hpp"
#include "http/task.hpp"
#include "http/worker.hpp"

#include <trackd/stage.hpp>
#include <trackd/tracker.hpp>
#include <trackd/wall_time.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace trackd::admin {

/// The workers behind one kind of listener: "ingest" or "admin".
struct listener_group {
    std::string name;
    std::vector<http::worker*> workers;
    std::uint64_t turned_away = 0; ///< connections that were one too many of their address
};

/// How often a limit was hit.
struct limit_hits {
    std::string_view limit; ///< as in a metric's label; a literal
    std::uint64_t hits;
};

/// Events that were admitted, by what they came with. Each pair of a key and a format comes once.
struct accepted_events {
    std::string key;         ///< its name, `none`, or `other`
    std::string_view format; ///< a literal
    std::uint64_t events = 0;
    std::uint64_t bytes = 0; ///< as they are encoded
};

/// Calls of analytics clients that were left out of their batches.
struct call_rejections {
    std::string_view reason; ///< as in a metric's label; a literal
    std::uint64_t calls;
};

/// Which configuration is in force.
struct configuration_state {
    struct refusal {
        wall_time at;
        std::vector<std::string> wrong; ///< a line each
    };

    std::uint64_t generation = 1; ///< one more with each reload that was taken
    wall_time since;
    std::vector<std::string> changed; ///< by the latest reload: keys of options
    std::optional<refusal> refused;   ///< the reload after it, if there was one
};

/// A shutdown that is under way. Spans end at zero.
struct shutdown_progress {
    std::string reason;                             ///< "SIGTERM", or the part that failed
    std::chrono::steady_clock::duration stage_left; ///< until the stage that runs ends at the latest
    std::chrono::steady_clock::duration left;       ///< until the drain does
};

/// Which dead letters of a sink are meant.
struct letter_choice {
    bool all = false;
    std::vector<std::string> ids; ///< of events; without `all`
};

struct letters_request {
    std::string sink;
    bool deliver = false; ///< to the sink, once more; otherwise they are thrown away
    letter_choice of;
};

struct letters_report {
    bool known = false;                         ///< there is such a sink, or was, and has left some
    std::uint64_t gone = 0;                     ///< delivered, or thrown away
    std::uint64_t refused = 0;                  ///< by the sink, again
    std::string error;                          ///< not empty: why the rest stays
    std::set<std::string, std::less<>> missing; ///< of the ids that were asked for: no letter has them
};

/// Outlives all routes made for it. Called on the admin listener's thread, but for `current_stage`, `the_tracker`,
/// `ailment` and `sink_not_ready`: any thread.
class overview {
public:
    virtual ~overview() = default;

    [[nodiscard]] virtual stage current_stage() const noexcept = 0;
    [[nodiscard]] virtual std::chrono::steady_clock::duration uptime() const = 0;
    [[nodiscard]] virtual std::optional<shutdown_progress>
    shutdown() const = 0;                              ///< none: nobody wants to stop
    [[nodiscard]] virtual std::string ack() const = 0; ///< as configured: "accepted"
    [[nodiscard]] virtual tracker& the_tracker() = 0;
    [[nodiscard]] virtual std::vector<listener_group> listeners() = 0;
    [[nodiscard]] virtual std::vector<limit_hits> limits() const = 0; ///< all there are, each once

    [[nodiscard]] virtual std::vector<accepted_events> accepted() const = 0;

    /// All reasons there are, each once.
    [[nodiscard]] virtual std::vector<call_rejections> rejected_calls() const { return {}; }

    /// Of the ingest listener, by status and reason.
    [[nodiscard]] virtual std::vector<http::rejection_count> rejections() const { return {}; }

    /// At most so many, the newest first; with them, calls that were left out of batches.
    [[nodiscard]] virtual std::vector<http::rejection_record> latest_rejections(std::size_t /*max*/) const {
        return {};
    }

    [[nodiscard]] virtual std::vector<key_activity> keys() const = 0;
    /// Why the daemon is to be taken for dead; empty: it works.
    [[nodiscard]] virtual std::string ailment() const = 0;
    [[nodiscard]] virtual const configuration_state& configuration() const = 0;

    /// A sink without which the daemon is not ready, and which has been failing for too long; empty: there is none.
    [[nodiscard]] virtual std::string_view sink_not_ready() const = 0;

    /// How many of its events are kept as dead letters now.
    [[nodiscard]] virtual std::uint64_t dead_letters_kept(const std::string& sink) const = 0;

    /// Coroutines of the daemon itself, beside those of the tracker: listeners, signals.
    [[nodiscard]] virtual std::vector<base::running_task> tasks() const = 0;

    /// Returns when it is done, which may take long.
    [[nodiscard]] virtual http::task<letters_report> handle_dead_letters(letters_request what) = 0;
};

} // namespace trackd::admin
