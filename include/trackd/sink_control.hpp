// What an operator can ask of one sink of a running tracker, and what became of it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace trackd {

enum class sink_action {
    pause,  ///< the delivery finishes the write under way, then writes nothing; events stay pending
    resume, ///< ends a pause
    retry,  ///< ends the present retry delay
    skip,   ///< the sink never gets the events that are stored and pending now: they count as skipped
    forget, ///< only for a sink that is not configured any more: the backlog keeps no events for it
};

enum class sink_control_result {
    done,
    unknown_sink,   ///< neither a sink of the tracker nor one that the backlog keeps events for
    configured,     ///< `forget` is refused: the sink is one of the tracker's
    not_configured, ///< only `forget` is possible: the backlog keeps events, but there is no such sink
    paused,         ///< `retry` is refused: nothing is tried before the sink is resumed
    ending,         ///< refused: the tracker drains
    not_saved,      ///< done in memory, not on disk yet; the backlog tries again
};

struct sink_control_report {
    sink_control_result result = sink_control_result::done;
    bool changed = false; ///< false: the sink was in that state already
    std::uint64_t events =
        0; ///< `skip`: skipped; `forget`: were kept for the sink; others: pending in the backlog
    std::string error = {};                   ///< of `not_saved`
    std::vector<std::string> configured = {}; ///< of `unknown_sink`: the sinks there are
    std::vector<std::string> removed = {};    ///< of `unknown_sink`: sinks that `forget` is possible for
};

} // namespace trackd
