#include "service/ask_commands.hpp"

#include "admin/healthcheck.hpp"
#include "service/ask_daemon.hpp"
#include "service/daemon_commands.hpp"
#include "service/sink_commands.hpp"
#include "service/tail_command.hpp"

#include <chrono>
#include <exception>
#include <ostream>
#include <stdexcept>

namespace trackd::service {

namespace {

admin::health ask_health(const daemon_contact& daemon, const char* path) {
    constexpr std::chrono::seconds timeout{3};
    try {
        return admin::ask_health(endpoint_of(daemon), path, timeout, daemon.certificate);
    } catch (const std::exception& why) {
        return {.says = why.what()};
    }
}

int run_healthcheck(const daemon_contact& daemon, bool ready, std::ostream& out, std::ostream& errors) {
    const auto health = ask_health(daemon, ready ? "/readyz" : "/healthz");
    if (!health.answered) throw no_answer_at(daemon, health.says);
    (health.good ? out : errors) << health.says << '\n';
    return health.good ? 0 : 1;
}

int run_with(
    const command_line& line, const daemon_contact& daemon, std::ostream& out, std::ostream& errors
) {
    switch (line.what) {
    case command::healthcheck: return run_healthcheck(daemon, line.ready, out, errors);
    case command::status: return run_status(daemon, line.json, out, errors);
    case command::reload: return run_reload(daemon, out, errors);
    case command::tail: return run_tail_command(line.tail, daemon, out, errors);
    case command::sink: return run_sink_command(line.sink, daemon, out, errors);
    case command::dead_letters:
    case command::serve:
    case command::check:
    case command::config:
    case command::journal:
    case command::key: break;
    }
    throw std::logic_error{"a command that asks no daemon"};
}

} // namespace

daemon_query query_of(const command_line& line) {
    return {line.sources, line.admin, line.token_file};
}

int run_ask_command(const command_line& line, std::ostream& out, std::ostream& errors) {
    constexpr int no_answer = 1;
    try {
        return run_with(line, find_daemon(query_of(line)), out, errors);
    } catch (const no_daemon& why) {
        errors << "trackd: is the daemon running? " << why.what() << '\n';
        return no_answer;
    }
}

} // namespace trackd::service
