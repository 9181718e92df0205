#include "service/sink_commands.hpp"

#include "admin/sink_routes.hpp"
#include "service/ask_daemon.hpp"

#include <boost/beast/http/status.hpp>
#include <boost/beast/http/verb.hpp>

#include <chrono>
#include <exception>
#include <ostream>
#include <string>

namespace trackd::service {

namespace {

using boost::beast::http::status;
using boost::beast::http::verb;

constexpr int no_answer = 1;
constexpr int refused = 2;
constexpr std::chrono::seconds timeout{30};

std::string text_of(const sink_line& line, const admin::sink_answer& answer) {
    const auto& sink = line.sink;
    const auto events = std::to_string(answer.events);
    const auto pending = "; " + events + " events pending";
    switch (line.what) {
    case sink_action::pause:
        return sink + (answer.changed ? " is paused" : " is paused already") + pending +
               "; the pause ends with `trackd sink resume " + sink + "` or a restart";
    case sink_action::resume: return sink + (answer.changed ? " is resumed" : " is not paused") + pending;
    case sink_action::retry:
        return sink + (answer.changed ? " is tried now" : " is not waiting for a retry") + pending;
    case sink_action::skip: return sink + " skipped " + events + " events";
    case sink_action::forget: return "forgot " + sink + "; " + events + " events were kept for it";
    }
    return {};
}

} // namespace

int run_sink_command(
    const sink_line& line, const daemon_contact& daemon, std::ostream& out, std::ostream& errors
) {
    const auto path = "/sinks/" + line.sink + '/' + std::string{admin::to_string(line.what)};
    const std::string body{admin::body_for(line.what)};
    try {
        const auto got = ask_daemon(daemon, {verb::post, path, body}, timeout);
        if (got.code == status::ok) {
            out << text_of(line, admin::parse_sink_answer(got.body)) << '\n';
            return 0;
        }
        const auto detail = admin::problem_detail(got.body);
        if (got.code == status::unauthorized)
            errors << "trackd: " << unknown_token(daemon) << '\n';
        else
            errors << "trackd: the daemon refused: " << (detail.empty() ? got.body : detail) << '\n';
        return got.code == status::unauthorized ? no_answer : refused;
    } catch (const no_daemon& why) {
        errors << "trackd: is the daemon running? " << why.what() << '\n';
    } catch (const std::exception& why) {
        errors << "trackd: " << why.what() << '\n';
    }
    return no_answer;
}

} // namespace trackd::service
