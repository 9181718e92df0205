#include "service/live_configuration.hpp"

#include "config/changes.hpp"
#include "config/load.hpp"

#include <trackd/wall_clock.hpp>

#include <utility>

namespace trackd::service {

live_configuration::live_configuration(config::settings first, std::function<config::settings()> load)
    : settings_{std::move(first)}, load_{std::move(load)} {
    state_.since = utc_now();
}

config::settings live_configuration::read_again() const {
    auto next = load_();
    std::vector<std::string> wrong;
    for (const auto& one : config::changes(settings_, next)) {
        if (one.takes_effect == config::changed_by::restart)
            wrong.push_back(one.key + ": has changed, expected what it was: it needs a restart");
    }
    // A file that was cut short, or is the wrong one, must not open the daemon to everybody.
    if (!settings_.keys.empty() && next.keys.empty() && !next.says_keys)
        wrong.emplace_back(
            "keys: found none, expected some, as there were before; \"keys = []\" has everybody send events"
        );
    if (!wrong.empty()) throw config::error{std::move(wrong)};
    return next;
}

void live_configuration::put_into_force(config::settings next) {
    state_.changed.clear();
    for (auto& one : config::changes(settings_, next))
        state_.changed.push_back(std::move(one.key));
    ++state_.generation;
    state_.since = utc_now();
    state_.refused.reset();
    settings_ = std::move(next);
}

void live_configuration::refuse(std::vector<std::string> wrong) {
    constexpr std::size_t enough = 100; // for a page that is read often; the log has all
    if (wrong.size() > enough) wrong.resize(enough);
    state_.refused = {utc_now(), std::move(wrong)};
}

} // namespace trackd::service
