#include "backlog/set_aside.hpp"

#include "base/log.hpp"

#include <algorithm>
#include <system_error>
#include <vector>

namespace trackd::journal {

void set_aside(
    file_system& files, file& from, std::uint64_t offset, std::uint64_t bytes, const std::filesystem::path& to
) {
    try {
        const auto copy = files.open(to, open_mode::create);
        std::vector<char> piece(std::min<std::uint64_t>(bytes, std::uint64_t{1} << 20U));
        for (std::uint64_t done = 0; done < bytes;) {
            const auto wanted = std::min<std::uint64_t>(piece.size(), bytes - done);
            const auto got = read_fully(from, offset + done, std::span{piece}.first(wanted));
            write_fully(*copy, done, std::span{piece}.first(got));
            if (got < wanted) break;
            done += got;
        }
        copy->sync();
    } catch (const std::system_error& failure) {
        if (failure.code() == std::errc::file_exists) return;
        base::log().warn("journal: what cannot be read could not be set aside: {}", failure.what());
    }
}

} // namespace trackd::journal
