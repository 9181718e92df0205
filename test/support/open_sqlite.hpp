// A SQLite sink as most tests want it: open, and quick to give up on a database that another program has locked.
#pragma once

#include "sinks/sqlite.hpp"

#include <trackd/sink.hpp>

#include <chrono>
#include <filesystem>
#include <memory>

namespace trackd::test {

inline std::unique_ptr<sink> open_sqlite(const std::filesystem::path& path, bool indexes = true) {
    auto opened = sinks::make_sqlite_sink(
        {.path = path, .indexes = indexes, .busy_timeout = std::chrono::milliseconds{10}}
    );
    opened->open();
    return opened;
}

} // namespace trackd::test
