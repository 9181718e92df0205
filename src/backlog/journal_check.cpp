#include "backlog/journal_check.hpp"

#include "backlog/cursor_file.hpp"
#include "backlog/recovery.hpp"
#include "backlog/survey.hpp"

#include <algorithm>
#include <stdexcept>

namespace trackd::journal {

void check_journal(file_system& files, const std::filesystem::path& directory) {
    if (!std::filesystem::exists(directory)) return;
    const auto names = files.list(directory);
    const bool is_new = std::ranges::none_of(names, [](const auto& name) {
        return name == "cursors" || first_position(name);
    });
    if (is_new) return;
    static_cast<void>(peek_cursors(files, directory));
    for (const auto& segment : survey(files, directory)) {
        if (!segment.error.empty()) throw std::runtime_error{"journal: " + segment.error};
        if (segment.header.state == header_state::newer)
            throw std::runtime_error{newer_format((directory / segment.name).string(), segment.header.header)
            };
    }
}

} // namespace trackd::journal
