#include "service/dead_letter_commands.hpp"

#include "admin/client.hpp"
#include "admin/letter_routes.hpp"
#include "backlog/text_table.hpp"
#include "base/json_text.hpp"
#include "config/load.hpp"
#include "service/ask_daemon.hpp"
#include "service/dead_letter_box.hpp"
#include "service/parts.hpp"
#include "sinks/redeliver.hpp"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <ostream>
#include <set>
#include <stdexcept>

namespace trackd::service {

namespace {

using sinks::dead_letter;

// A daemon that delivers them may have many to deliver, to a slow sink.
constexpr std::chrono::hours longest_answer{24};

using ids = std::set<std::string, std::less<>>;

class chooser {
public:
    /// @param missing ids of letters that it meets are taken out; outlives this
    chooser(const admin::letter_choice& choice, ids& missing)
        : all_{choice.all}, ids_{choice.ids.begin(), choice.ids.end()}, missing_{missing} {}

    [[nodiscard]] bool operator()(const dead_letter& letter) const {
        if (all_) return true;
        const auto found = ids_.find(letter.view().id);
        if (found == ids_.end()) return false;
        missing_.erase(*found);
        return true;
    }

private:
    bool all_;
    ids ids_;
    ids& missing_;
};

admin::letter_choice choice_of(const dead_letter_line& line) {
    return {line.all, line.ids};
}

const config::sink_settings& sink_of(const dead_letter_line& line, const config::settings& settings) {
    const auto found = std::ranges::find(settings.sinks, line.sink, &config::sink_settings::name);
    if (found != settings.sinks.end()) return *found;
    std::string names;
    for (const auto& sink : settings.sinks)
        names += (names.empty() ? "" : ", ") + sink.name;
    throw std::runtime_error{"no sink is named " + line.sink + "; there is " + names};
}

/// @throws std::runtime_error if nobody can have dead letters of this name
void check_known(const dead_letter_line& line, const config::settings& settings) {
    const auto gone = sinks_left_behind(settings);
    if (std::ranges::find(gone, line.sink) == gone.end())
        static_cast<void>(sink_of(line, settings)); // or it says that there is none
    else if (line.what == dead_letter_command::retry)
        throw std::runtime_error{not_configured(line.sink)};
}

/// @return whether all of its file could be read
bool add_row(
    journal::text_table& table, const std::string& sink, bool configured, const config::settings& settings
) {
    std::uint64_t count = 0;
    std::string oldest;
    std::string reason;
    bool good = true;
    const auto path = dead_letter_path(settings, sink);
    try {
        sinks::for_each_letter(path, [&](const dead_letter& letter) {
            if (++count == 1) oldest = letter.time;
            reason = letter.reason;
            return true;
        });
    } catch (const std::exception& why) { // the others are to be seen all the same
        reason = why.what();
        good = false;
    }
    std::string quoted;
    if (!reason.empty()) base::append_json_string(quoted, reason);
    const auto bytes = count > 0 ? std::filesystem::file_size(path) : 0;
    table.add({sink, std::to_string(count), std::to_string(bytes), configured ? "yes" : "no", oldest, quoted}
    );
    return good;
}

int list(const config::settings& settings, std::ostream& out) {
    using enum journal::text_table::align;
    journal::text_table table{
        {{"SINK", left},
         {"LETTERS", right},
         {"BYTES", right},
         {"CONFIGURED", left},
         {"OLDEST", left},
         {"LAST REASON", left}}
    };
    bool good = true;
    for (const auto& sink : settings.sinks)
        good &= add_row(table, sink.name, true, settings);
    for (const auto& sink : sinks_left_behind(settings))
        good &= add_row(table, sink, false, settings);
    out << table.text();
    return good ? 0 : 1;
}

void print(const dead_letter& letter, std::ostream& out) {
    std::string line = R"({"reason":)";
    base::append_json_string(line, letter.reason);
    line +=
        R"(,"time":")" + letter.time + R"(","attempts":)" + std::to_string(letter.attempts) + R"(,"event":)";
    base::append_cloudevent(line, letter.view());
    out << line << "}\n";
}

int show(const dead_letter_line& line, const config::settings& settings, std::ostream& out) {
    check_known(line, settings);
    ids missing;
    const chooser wanted{{line.ids.empty(), line.ids}, missing};
    sinks::for_each_letter(dead_letter_path(settings, line.sink), [&](const dead_letter& letter) {
        if (wanted(letter)) print(letter, out);
        return out.good();
    });
    return 0;
}

std::string problem_in(const std::string& body) {
    return body.substr(0, body.find('\n'));
}

admin::answer ask_there(const daemon_contact& daemon, admin::question question) {
    try {
        return ask_daemon(daemon, std::move(question), longest_answer);
    } catch (const no_daemon& why) {
        throw std::runtime_error{std::string{"a daemon has the dead letters, and "} + why.what()};
    }
}

admin::letters_report ask_for_letters(const dead_letter_line& line, const daemon_contact& daemon) {
    const auto verb = line.what == dead_letter_command::retry ? "/retry" : "/drop";
    const admin::question question{
        boost::beast::http::verb::post, "/dead-letters/" + line.sink + verb, admin::to_json(choice_of(line))
    };
    const auto got = ask_there(daemon, question);
    if (got.code != boost::beast::http::status::ok)
        throw std::runtime_error{"the daemon at " + daemon.address + " refused: " + problem_in(got.body)};
    return admin::parse_report(got.body);
}

admin::letters_report
do_it_here(const dead_letter_line& line, const config::settings& settings, const dead_letter_box& letters) {
    const auto file = letters.of(line.sink);
    if (!file) throw std::runtime_error{"the dead letters of " + line.sink + " cannot be used as they are"};
    if (line.what == dead_letter_command::drop) return drop_letters(*file, choice_of(line));
    const auto to = open_sink(sink_of(line, settings));
    auto report = begin_report(choice_of(line));
    sinks::letter_portion all;
    redeliver_portion(*file, *to, choice_of(line), all, report, {});
    try {
        to->close();
    } catch (const std::exception& why) {
        if (report.error.empty()) report.error = std::string{"closing it failed: "} + why.what();
    }
    return report;
}

/// @return nothing where a daemon has them
std::unique_ptr<dead_letter_box> take_letters(const config::settings& settings) {
    try {
        return std::make_unique<dead_letter_box>(settings);
    } catch (const journal::in_use_error&) {
        return {};
    }
}

int print_report(
    const dead_letter_line& line, const admin::letters_report& report, std::ostream& out, std::ostream& errors
) {
    out << report.gone << (line.what == dead_letter_command::retry ? " delivered" : " dropped");
    if (report.refused > 0) out << ", " << report.refused << " refused again";
    const bool missed = report.error.empty() && !report.missing.empty();
    if (missed) out << ", " << report.missing.size() << " not there";
    out << '\n';
    if (!report.error.empty()) errors << "trackd: sink " << line.sink << ": " << report.error << '\n';
    return report.refused > 0 || missed || !report.error.empty() ? 1 : 0;
}

admin::letters_report
retry_or_drop(const dead_letter_line& line, const config::settings& settings, const daemon_query& query) {
    check_known(line, settings);
    const auto letters = take_letters(settings);
    return letters ? do_it_here(line, settings, *letters) : ask_for_letters(line, find_daemon(query));
}

} // namespace

int run_dead_letter_command(
    const dead_letter_line& line, const daemon_query& query, std::ostream& out, std::ostream& errors
) {
    const bool changes = line.what == dead_letter_command::retry || line.what == dead_letter_command::drop;
    if (changes && !query.admin.empty())
        return print_report(line, ask_for_letters(line, find_daemon(query)), out, errors);
    try {
        const auto settings = config::load(query.sources);
        if (line.what == dead_letter_command::list) return list(settings, out);
        if (line.what == dead_letter_command::show) return show(line, settings, out);
        return print_report(line, retry_or_drop(line, settings, query), out, errors);
    } catch (const config::error&) {
        if (!changes) throw;
        const auto daemon = find_daemon(query);
        if (!daemon.runs) throw;
        return print_report(line, ask_for_letters(line, daemon), out, errors);
    }
}

std::string not_configured(const std::string& sink) {
    return "sink " + sink +
           " is not configured any more: nobody is there to take its dead letters; expected a sink of this "
           "name, or show and drop";
}

admin::letters_report begin_report(const admin::letter_choice& of) {
    admin::letters_report report;
    report.known = true;
    report.missing = {of.ids.begin(), of.ids.end()};
    return report;
}

bool redeliver_portion(
    sinks::dead_letter_file& from, sink& to, const admin::letter_choice& of, sinks::letter_portion& next,
    admin::letters_report& report, const std::stop_token& stop
) {
    const auto done = sinks::redeliver(from, to, chooser{of, report.missing}, next, stop);
    report.gone += done.delivered;
    report.refused += done.refused;
    report.error = done.error;
    next.from = done.staying;
    next.end -= done.delivered;
    return !done.finished && done.error.empty();
}

sinks::letter_portion first_portion(const sinks::dead_letter_file& of) noexcept {
    constexpr std::uint64_t least = 2000;
    constexpr std::uint64_t most_portions = 16;
    return {0, std::max(least, of.count() / most_portions), of.count()};
}

admin::letters_report drop_letters(sinks::dead_letter_file& from, const admin::letter_choice& of) {
    auto report = begin_report(of);
    try {
        report.gone = of.all ? from.remove_all() : from.remove_if(chooser{of, report.missing});
    } catch (const std::exception& why) {
        report.error = why.what();
    }
    return report;
}

} // namespace trackd::service
