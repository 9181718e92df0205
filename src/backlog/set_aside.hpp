// Keeps bytes that cannot be read as records, beside the segment that they were found in, for whoever wants to know
// what has happened.
#pragma once

#include "backlog/file_system.hpp"

#include <cstdint>
#include <filesystem>

namespace trackd::journal {

/// Copies the range into `to`, unless that exists already: then it was found before. Where it cannot be copied, that is
/// logged, and all goes on.
void set_aside(
    file_system& files, file& from, std::uint64_t offset, std::uint64_t bytes, const std::filesystem::path& to
);

} // namespace trackd::journal
