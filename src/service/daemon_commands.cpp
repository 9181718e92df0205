#include "service/daemon_commands.hpp"

#include "admin/control_routes.hpp"
#include "service/ask_daemon.hpp"
#include "service/status_text.hpp"

#include <boost/beast/http/status.hpp>
#include <boost/beast/http/verb.hpp>

#include <exception>
#include <functional>
#include <ostream>
#include <stdexcept>
#include <string>

namespace trackd::service {

namespace {

using boost::beast::http::status;
using boost::beast::http::verb;

constexpr int no_answer = 1;
constexpr int refused = 2;

constexpr std::chrono::seconds patience{30};

/// @throws std::runtime_error for an answer that is neither of the two
admin::answer answer_of(const daemon_contact& daemon, admin::question what, status good, status also_good) {
    auto got = ask_daemon(daemon, std::move(what), patience);
    if (got.code == status::unauthorized) throw std::runtime_error{unknown_token(daemon)};
    if (got.code != good && got.code != also_good)
        throw std::runtime_error{"the daemon refused: " + got.body.substr(0, got.body.find('\n'))};
    return got;
}

int or_say_why(std::ostream& errors, const std::function<int()>& work) {
    try {
        return work();
    } catch (const no_daemon& why) {
        errors << "trackd: is the daemon running? " << why.what() << '\n';
    } catch (const std::exception& why) {
        errors << "trackd: " << why.what() << '\n';
    }
    return no_answer;
}

} // namespace

int run_reload(const daemon_contact& daemon, std::ostream& out, std::ostream& errors) {
    return or_say_why(errors, [&] {
        const auto got = answer_of(daemon, {verb::post, "/reload"}, status::ok, status::unprocessable_entity);
        const auto report = admin::parse_reload_report(got.body);
        for (const auto& line : report.wrong)
            errors << line << '\n';
        if (!report.wrong.empty()) return refused;
        out << said_of(report.generation, report.changed) << '\n';
        return 0;
    });
}

int run_status(const daemon_contact& daemon, bool json, std::ostream& out, std::ostream& errors) {
    return or_say_why(errors, [&] {
        const auto got = answer_of(daemon, {verb::get, "/status"}, status::ok, status::ok);
        out << (json ? got.body + '\n' : status_text(got.body));
        return 0;
    });
}

std::string said_of(std::uint64_t generation, const std::vector<std::string>& changed) {
    std::string keys;
    for (const auto& key : changed)
        keys += (keys.empty() ? "" : ", ") + key;
    return "configuration " + std::to_string(generation) +
           " is in force; changed: " + (keys.empty() ? "nothing" : keys);
}

} // namespace trackd::service
