// Command line → configuration → service → exit status.
#include "base/hangup.hpp"
#include "base/log.hpp"
#include "base/standard_streams.hpp"
#include "config/load.hpp"
#include "http/passed_sockets.hpp"
#include "service/ask_commands.hpp"
#include "service/command_line.hpp"
#include "service/dead_letter_commands.hpp"
#include "service/journal_commands.hpp"
#include "service/key_commands.hpp"
#include "service/parts.hpp"
#include "service/service.hpp"
#include "service/service_manager.hpp"
#include "service/start_check.hpp"
#include "service/stop_timeout.hpp"

#include <cstdlib>
#include <exception>
#include <iostream>
#include <malloc.h>
#include <stdexcept>
#include <unistd.h>
#include <utility>

namespace {

constexpr int bad_configuration = 2;

// Batches come and go by the megabyte: what one leaves the next one takes, rather than that the kernel gets it, and clears
// it for us anew. After a burst so much stays with each thread that had a part in it, at most.
void keep_freed_memory() {
    constexpr int mebibyte = 1 << 20;
    mallopt(M_MMAP_THRESHOLD, 4 * mebibyte);
    mallopt(M_TRIM_THRESHOLD, 16 * mebibyte);
}

void warn_if_cut_short(const trackd::config::settings& settings) {
    const char* allowed = std::getenv("TRACKD_STOP_TIMEOUT");
    if (allowed == nullptr) return;
    const auto why = trackd::service::why_cut_short(settings.shutdown, allowed);
    if (!why.empty()) std::cerr << "warning: " << why << '\n';
}

int run(const trackd::service::command_line& line) {
    using trackd::service::command;
    if (line.what != command::serve) trackd::base::release_hangup();
    if (line.what == command::key) return trackd::service::run_key_command(line.key, line.sources, std::cout);
    if (line.what == command::dead_letters)
        return trackd::service::run_dead_letter_command(
            line.dead_letters, trackd::service::query_of(line), std::cout, std::cerr
        );
    if (trackd::service::asks_daemon(line))
        return trackd::service::run_ask_command(line, std::cout, std::cerr);
    auto settings = trackd::config::load(line.sources);
    if (line.what == command::journal) {
        std::ios::sync_with_stdio(false);
        return trackd::service::run_journal_command(line.journal, settings, std::cout, std::cerr);
    }
    if (line.what == command::config) std::cout << trackd::config::to_toml(settings);
    if (line.what == command::serve || line.what == command::check) trackd::service::check_start(settings);
    if (line.what == command::check) {
        warn_if_cut_short(settings);
        std::cout << "the configuration is good\n";
    }
    if (line.what != command::serve) return 0;
    keep_freed_memory();
    auto passed =
        trackd::http::passed_sockets::from_environment(); // before the log has a thread, as is the next
    auto manager = trackd::service::service_manager::from_environment();
    trackd::base::lead_standard_error_into(trackd::service::open_log_file(settings.log));
    trackd::service::set_up_log(settings.log);
    trackd::service::service daemon{
        std::move(settings), [sources = line.sources] { return trackd::config::load(sources); },
        std::move(passed), std::move(manager)
    };
    return daemon.run();
}

// A command has not done its work if nobody can read its output.
int check_output(int exit_status) {
    if (!std::cout.flush() && exit_status == 0)
        throw std::runtime_error{"standard output cannot be written to"};
    return exit_status;
}

// A SIGHUP that comes before the daemon can handle it waits.
void hold_early_hangup() {
    trackd::base::hold_hangup();
}

// Runs before the constructors of all libraries.
#ifndef TRACKD_SANITIZED // whose own code is not ready then
[[gnu::used, gnu::section(".preinit_array")]]
#endif
void (*const first_function)() = &hold_early_hangup;

} // namespace

int main(int argc, char** argv) try {
#ifdef TRACKD_SANITIZED
    first_function();
#endif
    trackd::base::open_missing_standard_streams();
    int exit_status = 0;
    const auto line = trackd::service::read_command_line(argc, argv, environ, exit_status);
    return check_output(line ? run(*line) : exit_status);
} catch (const trackd::config::error& wrong) {

    for (const auto& line : wrong.lines())
        std::cerr << line << '\n';
    return bad_configuration;
} catch (const std::exception& why) {
    std::cerr << "trackd: " << why.what() << '\n';
    return bad_configuration;
}
