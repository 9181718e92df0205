// What tests of the disk ask: what is in a file, and how an operation failed.
#pragma once

#include "backlog/file_system.hpp"
#include "support/catch.hpp"

#include <filesystem>
#include <string>
#include <system_error>

namespace trackd::test {

inline std::string content(journal::file_system& files, const std::filesystem::path& path) {
    const auto file = files.open(path, journal::open_mode::read);
    std::string bytes(file->size(), '?');
    REQUIRE(journal::read_fully(*file, 0, bytes) == bytes.size());
    return bytes;
}

/// @return the errno that it threw; 0 if it did not
template <class Work>
int error_of(Work work) {
    try {
        work();
    } catch (const std::system_error& error) {
        return error.code().value();
    }
    return 0;
}

} // namespace trackd::test
