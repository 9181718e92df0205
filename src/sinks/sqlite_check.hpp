// Whether the sqlite sink can open its database, found out without making or changing one.
#pragma once

#include <filesystem>

namespace trackd::sinks {

/// A table that does not fit, or a lock, is no error, as it is none for the sink's `open`.
/// @param path absolute
/// @throws std::exception `cannot … PATH: …`
void check_sqlite_database(const std::filesystem::path& path);

} // namespace trackd::sinks
