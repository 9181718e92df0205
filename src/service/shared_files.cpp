#include "service/shared_files.hpp"

#include "base/file_access.hpp"
#include "base/listen_address.hpp"
#include "service/dead_letter_box.hpp"
#include "service/parts.hpp"

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <set>
#include <string_view>
#include <system_error>
#include <utility>

namespace trackd::service {

namespace fs = std::filesystem;

namespace {

enum class file_kind {
    file,
    directory,         // others may have files in it
    private_directory, // nobody else may
};

struct used_file {
    std::string user;   // "sink archive"
    std::string option; // empty: the path is none of the configuration
    fs::path path;
    fs::path resolved;
    file_kind kind = file_kind::file;
};

class file_list {
public:
    void add(std::string user, std::string option, const fs::path& path, file_kind kind = file_kind::file) {
        files_.push_back({std::move(user), std::move(option), path, base::resolve_links(path), kind});
    }

    void add_sink(const config::sink_settings& sink) {
        const auto user = "sink " + sink.name;
        if (sink.kind == config::sink_kind::file) add(user, "path", sink.file.path);
        if (sink.kind != config::sink_kind::sqlite) return;
        add(user, "path", sink.sqlite.path);
        for (const auto* extension : {"-wal", "-shm"})
            add(user, "path", sink.sqlite.path + extension);
    }

    void add_listener(const std::string& option, const config::addresses& addresses) {
        for (const auto& address : addresses)
            if (address.starts_with(base::socket_file_prefix))
                add(option, option, address.substr(base::socket_file_prefix.size()));
    }

    [[nodiscard]] const std::vector<used_file>& all() const noexcept { return files_; }

private:
    std::vector<used_file> files_;
};

file_list files_of(const config::settings& settings) {
    file_list files;
    files.add("data_dir", "data_dir", settings.data_dir, file_kind::directory);
    files.add("the journal", "", journal_directory(settings), file_kind::private_directory);
    files.add("the dead letters", "", dead_letter_directory(settings), file_kind::private_directory);
    std::error_code error;
    if (!settings.log.file.empty())
        files.add("log.file", "log.file", settings.log.file);
    else if (fs::is_regular_file("/proc/self/fd/2", error))
        files.add("standard error", "", "/proc/self/fd/2");
    for (const auto& sink : settings.sinks)
        files.add_sink(sink);
    files.add_listener("http.listen", settings.http.listen);
    files.add_listener("admin.listen", settings.admin.listen);
    return files;
}

bool is_within(const used_file& file, const used_file& other) {
    const auto& path = file.resolved;
    const auto& top = other.resolved;
    return std::mismatch(top.begin(), top.end(), path.begin(), path.end()).first == top.end();
}

bool is_same(const used_file& file, const used_file& other) {
    if (file.resolved == other.resolved) return true;
    std::error_code missing;
    return fs::is_regular_file(file.resolved, missing) &&
           fs::equivalent(file.resolved, other.resolved, missing);
}

// One user's files do not stand in each other's way, and trackd's own directories are made to lie within each other.
bool can_conflict(const used_file& file, const used_file& other) {
    const bool both_own = file.kind != file_kind::file && other.kind != file_kind::file;
    const bool both_sockets = file.user.ends_with(".listen") && other.user.ends_with(".listen");
    return !both_own && (file.user != other.user || both_sockets);
}

std::string describe(const used_file& file, std::string_view problem) {
    return file.user + ": " + (file.option.empty() || file.option == file.user ? "" : file.option + ": ") +
           "found \"" + file.path.string() + "\", " + std::string{problem};
}

/// @return empty if the two go together
std::string conflict(const used_file& file, const used_file& other) {
    if (is_same(file, other))
        return describe(file, "which is a file of " + other.user + ", too; expected a file of its own");
    if (other.kind == file_kind::private_directory && is_within(file, other))
        return describe(file, "which is in the directory of " + other.user + "; expected another directory");
    if (other.kind == file_kind::file && is_within(file, other))
        return describe(
            file,
            "but " + other.path.string() + " is a file of " + other.user + "; expected a path without it"
        );
    return {};
}

} // namespace

std::vector<std::string> find_shared_files(const config::settings& settings) {
    const auto files = files_of(settings);
    std::vector<std::string> lines;
    std::set<std::pair<std::string, std::string>> found; // users: of each two, one line
    for (std::size_t i = 0; i < files.all().size(); ++i) {
        for (std::size_t j = 0; j < i; ++j) {
            const auto& file = files.all()[i];
            const auto& other = files.all()[j];
            if (!can_conflict(file, other) || found.contains({file.user, other.user})) continue;
            auto line = conflict(file, other);
            if (line.empty()) line = conflict(other, file);
            if (line.empty()) continue;
            found.emplace(file.user, other.user);
            lines.push_back(std::move(line));
        }
    }
    return lines;
}

} // namespace trackd::service
