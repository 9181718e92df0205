// What the file of a sink that the daemon loads only when its configuration names one holds: its module.
#pragma once

#include <trackd/sink.hpp>

#include <spdlog/logger.h>

#include <memory>

namespace trackd::sinks {

/// The module of the sinks of one kind, which its file exports as `trackd_KIND_sink`, and nothing else. It lives as long as
/// the process, as do its sinks' code and the types that they throw.
template <class Options>
struct sink_module {
    /// `base::module_build`. It comes first, and the daemon reads nothing else unless it is the daemon's own.
    const char* build;

    /// As `make_KIND_sink`.
    std::unique_ptr<sink> (*make)(Options options, spdlog::logger& log);
};

} // namespace trackd::sinks
