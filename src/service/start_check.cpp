#include "service/start_check.hpp"

#include "backlog/journal_check.hpp"
#include "base/file_access.hpp"
#include "base/listen_address.hpp"
#include "config/load.hpp"
#include "http/listening_socket.hpp"
#include "http/passed_sockets.hpp"
#include "service/dead_letter_box.hpp"
#include "service/directories.hpp"
#include "service/parts.hpp"
#include "service/shared_files.hpp"
#include "service/sink_kinds.hpp"
#include "sinks/dead_letter_file.hpp"

#include <algorithm>
#include <exception>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace trackd::service {

namespace {

// Goes on after a problem, to find all of them.
class problem_list {
public:
    /// @return whether the check has passed
    template <class Check>
    bool run(const std::string& subject, Check check) {
        try {
            check();
            return true;
        } catch (const std::exception& why) {
            auto line = subject + why.what();
            std::ranges::replace(line, '\n', ' ');
            lines_.push_back(std::move(line));
            return false;
        }
    }

    void add(std::vector<std::string> lines) { lines_.insert(lines_.end(), lines.begin(), lines.end()); }

    void throw_if_any() {
        if (!lines_.empty()) throw config::error{std::move(lines_)};
    }

private:
    std::vector<std::string> lines_;
};

void find_file_problems(const config::settings& settings, problem_list& problems) {
    problems.run("", [&] { static_cast<void>(make_tls("http.tls", settings.http.tls)); });
    problems.run("", [&] { static_cast<void>(make_tls("admin.tls", settings.admin.tls)); });
    problems.run("", [&] { check_log_file(settings.log); });
    problems.add(find_shared_files(settings));
}

void find_data_problems(const config::settings& settings, problem_list& problems) {
    if (!problems.run("", [&] { check_directory(settings.data_dir, "data_dir"); })) return;
    if (!std::filesystem::exists(settings.data_dir)) return; // a start makes all of it
    if (settings.backlog.kind == config::backlog_kind::journal) {
        problems.run("", [&] {
            const auto directory = journal_directory(settings);
            check_directory(directory.string(), "journal");
            journal::check_journal(journal::real_file_system(), directory);
        });
    }
    const auto directory = dead_letter_directory(settings).string();
    if (!problems.run("", [&] { check_directory(directory, "dead letters"); })) return;
    for (const auto& sink : settings.sinks) {
        problems.run("sink " + sink.name + ": its dead letters: ", [&] {
            sinks::check_dead_letter_file(std::filesystem::absolute(dead_letter_path(settings, sink.name)));
        });
    }
}

} // namespace

namespace {

// A start makes the data directory before it listens on a socket file there.
bool is_in_new_data_directory(const std::string& address, const config::settings& settings) {
    namespace fs = std::filesystem;
    if (!address.starts_with(base::socket_file_prefix) || fs::exists(settings.data_dir)) return false;
    const fs::path socket{address.substr(base::socket_file_prefix.size())};
    return base::resolve_links(fs::path{settings.data_dir} / socket.filename()) ==
           base::resolve_links(socket);
}

} // namespace

void check_files(const config::settings& settings) {
    problem_list problems;
    find_file_problems(settings, problems);
    problems.throw_if_any();
}

void check_start(const config::settings& settings) {
    problem_list problems;
    find_file_problems(settings, problems);
    find_data_problems(settings, problems);
    for (const auto& sink : settings.sinks)
        problems.run("sink " + sink.name + ": ", [&] { make_sink(sink)->check(); });
    for (const auto* listener : {&settings.http.listen, &settings.admin.listen}) {
        for (const auto& address : *listener) {
            if (!http::is_passed_address(address) && !is_in_new_data_directory(address, settings))
                problems.run("", [&] { http::check_listen_address(address); });
        }
    }
    problems.throw_if_any();
}

} // namespace trackd::service
