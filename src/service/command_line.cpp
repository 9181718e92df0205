#include "service/command_line.hpp"

#include "base/ascii.hpp"
#include "base/version.hpp"
#include "config/key_rules.hpp"
#include "service/sink_kinds.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <filesystem>
#include <iostream>
#include <string>
#include <string_view>

namespace trackd::service {

namespace {

std::vector<std::pair<std::string, std::string>> pairs(char** environment) {
    std::vector<std::pair<std::string, std::string>> all;
    for (; *environment != nullptr; ++environment) {
        const std::string_view entry{*environment};
        const auto equals = entry.find('=');
        if (equals != std::string_view::npos)
            all.emplace_back(entry.substr(0, equals), entry.substr(equals + 1));
    }
    return all;
}

// One line, where CLI11 would print two.
int bad_command_line(const CLI::ParseError& what) {
    std::cerr << "trackd: " << config::without_keys(what.what()) << " (`trackd --help` says what there is)\n";
    return 2;
}

/// For CLI11, which takes -1 for a very large number.
/// @return what is wrong with the text; nothing if it is good
std::string is_position(const std::string& text) {
    std::uint64_t number = 0;
    const auto* end = text.data() + text.size();
    const auto [stopped, failure] = std::from_chars(text.data(), end, number);
    if (failure == std::errc{} && stopped == end && number > 0) return {};
    return "found " + text + ", expected a position: a whole number, 1 or more";
}

/// Offline: none of them asks a running daemon.
CLI::App* add_journal_commands(CLI::App& app, journal_line& into) {
    auto* journal = app.add_subcommand("journal", "look into the journal on disk (docs/journal-tools.md)");
    journal->require_subcommand(1);
    const auto add = [&](const char* name, const char* help, journal_command what) {
        auto* added = journal->add_subcommand(name, help);
        added->callback([&into, what] { into.what = what; });
        return added;
    };
    add("list", "show its segments, and how far each sink has got", journal_command::list);
    add("verify", "read all of it: exit 0 if it is clean, 1 if it is damaged", journal_command::verify);
    auto* cat = add("cat", "print its events, one a line", journal_command::cat);
    cat->add_option("--from", into.from, "the first event to print; else the oldest")
        ->type_name("POSITION")
        ->check(is_position);
    cat->add_flag("--json", into.json, "as CloudEvents JSON, like the file sink");
    auto* forget =
        add("forget",
            "keep no events any more for SINK, which is not configured any more; the daemon must be stopped",
            journal_command::forget);
    forget->add_option("SINK", into.sink, "the sink's name")->required();
    return journal;
}

/// For CLI11.
/// @return what is wrong with the text; nothing if it is good
std::string is_name(const std::string& text) {
    const bool good = !text.empty() && text.size() <= 64 && std::ranges::all_of(text, base::fits_name);
    return good ? "" : "found " + text + ", expected letters, digits, - and _, 1 to 64 bytes";
}

std::string is_key_name(const std::string& text) {
    const auto error = is_name(text);
    return error.empty() ? config::key_name_error(text) : error; // trackd would refuse the configuration
}

/// They ask the running daemon, if there is one.
CLI::App* add_dead_letter_commands(CLI::App& app, dead_letter_line& into) {
    auto* letters =
        app.add_subcommand("dead-letters", "see to events that a sink has refused (docs/dead-letters.md)");
    letters->require_subcommand(1);
    const auto add = [&](const char* name, const char* help, dead_letter_command what) {
        auto* added = letters->add_subcommand(name, help);
        added->callback([&into, what] { into.what = what; });
        if (what != dead_letter_command::list) {
            added->add_option("SINK", into.sink, "the sink's name")->required();
            added->add_option("ID", into.ids, "of the events that are meant");
        }
        return added;
    };
    const auto add_choice = [&](CLI::App* to) {
        to->add_flag("--all", into.all, "all of them, instead of IDs");
        to->callback([&into, to, what = to->get_name()] {
            into.what = what == "retry" ? dead_letter_command::retry : dead_letter_command::drop;
            if (into.all == into.ids.empty()) return;
            throw CLI::ValidationError{
                "dead-letters " + what, "found no IDs and no --all, or both; expected one of them"
            };
        });
    };
    add("list", "show how many each sink has", dead_letter_command::list);
    add("show", "print them, one a line, as JSON", dead_letter_command::show);
    add_choice(
        add("retry", "give them to the sink once more: exit 0 if it took all of them, 1 if not",
            dead_letter_command::retry)
    );
    add_choice(add("drop", "throw them away", dead_letter_command::drop));
    return letters;
}

/// @throws CLI::ValidationError if the user has not confirmed what cannot be undone
void check_confirmed(const bool& confirmed) {
    if (confirmed) return;
    throw CLI::ValidationError{
        "sink skip", "found no --yes; expected it, because the sink never gets the events that it skips"
    };
}

/// They ask the running daemon.
CLI::App* add_sink_commands(CLI::App& app, sink_line& into, bool& confirmed) {
    auto* sink = app.add_subcommand("sink", "control one sink of the running daemon (docs/admin.md)");
    sink->require_subcommand(1);
    const auto add = [&](const char* name, const char* help, sink_action what) {
        auto* added = sink->add_subcommand(name, help);
        added->callback([&into, what] { into.what = what; });
        added->add_option("SINK", into.sink, "the sink's name")->required()->check(is_name);
        return added;
    };
    add("pause", "write nothing to it until it is resumed, or the daemon restarts", sink_action::pause);
    add("resume", "end a pause", sink_action::resume);
    add("retry", "try a failing sink now, without the rest of its delay", sink_action::retry);
    auto* skip = add("skip", "give up its pending events, which it never gets then", sink_action::skip);
    skip->add_flag("--yes", confirmed, "confirm that");
    skip->callback([&into, &confirmed] {
        into.what = sink_action::skip;
        check_confirmed(confirmed);
    });
    add("forget", "keep no events any more for SINK, which is not configured any more", sink_action::forget);
    return sink;
}

CLI::App* add_key_commands(CLI::App& app, key_line& into) {
    auto* key = app.add_subcommand("key", "make keys for those who send events (docs/keys.md)");
    key->require_subcommand(1);
    const auto add = [&](const char* name, const char* help, const char* name_help, key_command what) {
        auto* added = key->add_subcommand(name, help);
        added->callback([&into, what] { into.what = what; });
        added->add_option("NAME", into.name, name_help)->required()->check(is_key_name);
    };
    add("new", "print a new random key, and what to add to the configuration for it", "the key's name",
        key_command::create);
    add("rotate",
        "print a new random key for a name of the configuration, and the line that accepts the old ones, too",
        "the name of a key in the configuration", key_command::rotate);
    return key;
}

CLI::App* add_tail_command(CLI::App& app, tail_line& into) {
    auto* tail = app.add_subcommand(
        "tail", "print what the running daemon accepts, an event a line, until Ctrl-C (docs/live.md)"
    );
    const auto add = [tail](const char* name, std::string& value, const char* help) {
        tail->add_option(name, value, help)->type_name("PATTERNS");
    };
    add("--type", into.types, "only of these types: order.*,!order.debug");
    add("--source", into.sources, "only from these sources");
    add("--key", into.keys, "only what was sent with the keys of these names");
    tail->add_option("--rate", into.rate, "at most so many a second; the rest is counted. Else 100")
        ->type_name("EVENTS");
    tail->add_flag("--json", into.json, "each as a JSON object");
    return tail;
}

void add_daemon_options(CLI::App& app, command_line& into) {
    app.add_option(
           "--admin", into.admin,
           "the admin listener of the daemon that a command asks: HOST:PORT, http://HOST:PORT, "
           "https://HOST:PORT "
           "or unix:/PATH; else what the running daemon has left in data_dir, else admin.listen"
    )
        ->type_name("ADDRESS");
    app.add_option("--token-file", into.token_file, "the file with the token for it")->type_name("FILE");
}

/// @throws CLI::ValidationError if an option is given to a command that has no use for it
void check_daemon_options(const command_line& line) {
    if (asks_daemon(line)) return;
    for (const auto& [name, value] :
         {std::pair{"--admin", line.admin}, std::pair{"--token-file", line.token_file}}) {
        if (!value.empty())
            throw CLI::ValidationError{
                name, "found it with a command that asks no daemon; expected it with " +
                          std::string{"healthcheck, status, reload, tail, sink, or "
                                      "dead-letters retry and drop"}
            };
    }
}

} // namespace

bool asks_daemon(const command_line& line) noexcept {
    switch (line.what) {
    case command::healthcheck:
    case command::status:
    case command::reload:
    case command::tail:
    case command::sink: return true;
    case command::dead_letters:
        return line.dead_letters.what == dead_letter_command::retry ||
               line.dead_letters.what == dead_letter_command::drop;
    case command::serve:
    case command::check:
    case command::config:
    case command::journal:
    case command::key: return false;
    }
    return false;
}

std::optional<command_line> read_command_line(int argc, char** argv, char** environment, int& exit_status) {
    command_line line;
    std::string file;
    CLI::App app{"trackd: an event-tracking daemon that loses nothing it said 201 to", "trackd"};
    app.fallthrough(); // before the subcommands: options may come after them, too
    app.require_subcommand(0, 1);
    app.set_version_flag("--version", [] {
        return std::string{"trackd "} + base::version + "\nsinks: " + available_sinks();
    });
    app.add_option(
           "-c,--config", file, "the configuration; else /etc/trackd/trackd.toml if it exists, else defaults"
    )
        ->envname("TRACKD_CONFIG");
    app.add_option(
           "--set", line.sources.set, "KEY=VALUE, stronger than environment and file; may be repeated"
    )
        ->allow_extra_args(false);
    add_daemon_options(app, line);
    app.add_subcommand("serve", "serve until SIGTERM or SIGINT, then drain (the default)");
    auto* check = app.add_subcommand(
        "check", "check the configuration: exit 0 if it is good, 2 with all errors if not"
    );
    auto* config = app.add_subcommand("config", "print the configuration in effect, secrets masked");
    auto* healthcheck =
        app.add_subcommand("healthcheck", "ask the running daemon: exit 0 if it is healthy, 1 if not");
    healthcheck->add_flag("--ready", line.ready, "ask whether it is ready for requests, not only alive");
    auto* status = app.add_subcommand("status", "ask the running daemon how it is doing");
    status->add_flag("--json", line.json, "all of it, as the daemon says it");
    auto* reload = app.add_subcommand(
        "reload", "have the running daemon take up its configuration as it is now: exit 0 if it did, 2 with "
                  "all errors if that is not possible, 1 if it does not answer"
    );
    auto* journal = add_journal_commands(app, line.journal);
    auto* letters = add_dead_letter_commands(app, line.dead_letters);
    bool confirmed = false;
    auto* sink = add_sink_commands(app, line.sink, confirmed);
    auto* key = add_key_commands(app, line.key);
    auto* tail = add_tail_command(app, line.tail);
    try {
        app.parse(argc, argv);
        if (*check) line.what = command::check;
        if (*config) line.what = command::config;
        if (*healthcheck) line.what = command::healthcheck;
        if (*status) line.what = command::status;
        if (*reload) line.what = command::reload;
        if (*journal) line.what = command::journal;
        if (*letters) line.what = command::dead_letters;
        if (*sink) line.what = command::sink;
        if (*key) line.what = command::key;
        if (*tail) line.what = command::tail;
        check_daemon_options(line);
    } catch (const CLI::ParseError& end) {
        exit_status = end.get_exit_code() == 0 ? app.exit(end) : bad_command_line(end);
        return {};
    }
    line.sources.environment = pairs(environment);
    if (!file.empty())
        line.sources.file = file;
    else if (std::filesystem::exists(installed_configuration))
        line.sources.file = installed_configuration;
    return line;
}

} // namespace trackd::service
