#include "backlog/inspect.hpp"

#include "backlog/cursor_file.hpp"
#include "backlog/directory_lock.hpp"
#include "backlog/survey.hpp"
#include "backlog/text_table.hpp"
#include "base/json_text.hpp"
#include "base/rfc3339.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <optional>
#include <ostream>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

namespace trackd::journal {

namespace {

using segments = std::vector<surveyed_segment>;

// Where the journal ends, if that can be told.
std::optional<trackd::position> end_of(const inspection& in, const segments& all) {
    if (all.empty() || !all.back().is_sound()) return {};
    try {
        segment_pass pass{in.files, in.directory, all.back()};
        while (!std::holds_alternative<segment_end>(pass.next())) {
        }
        return pass.position();
    } catch (const std::system_error& failure) {
        in.errors << fmt::format("{}: {}\n", all.back().name, failure.what());
        return {};
    }
}

std::string header_of(const surveyed_segment& segment) {
    if (!segment.error.empty()) return "unreadable";
    switch (segment.header.state) {
    case header_state::sound: return "sound";
    case header_state::newer: return "newer";
    case header_state::damaged: break;
    }
    return "damaged";
}

std::string or_unknown(std::optional<std::uint64_t> number) {
    return number ? std::to_string(*number) : "?";
}

// What is not there yet: a segment without any event has no last one.
std::string last_before(trackd::position first, std::optional<trackd::position> end) {
    return end && *end <= first ? "-" : or_unknown(end ? std::optional{*end - 1} : std::nullopt);
}

void list_segments(const inspection& to, const segments& all, std::optional<trackd::position> end) {
    using enum text_table::align;
    text_table table{
        {{"SEGMENT", left},
         {"FIRST", right},
         {"LAST", right},
         {"BYTES", right},
         {"REUSED", left},
         {"HEADER", left}}
    };
    for (std::size_t i = 0; i < all.size(); ++i) {
        const auto& segment = all[i];
        const auto its_end = i + 1 < all.size() ? std::optional{all[i + 1].first} : end;
        const auto reused = segment.header.header.reused ? "yes" : "no";
        table.add(
            {segment.name, std::to_string(segment.first), last_before(segment.first, its_end),
             std::to_string(segment.bytes), segment.is_sound() ? reused : "?", header_of(segment)}
        );
    }
    to.out << table.text();
}

void list_cursors(const inspection& to, const cursors& all, std::optional<trackd::position> end) {
    using enum text_table::align;
    text_table table{{{"SINK", left}, {"START", right}, {"AT", right}, {"PENDING", right}, {"DAMAGED", right}}
    };
    for (const auto& [name, at] : all) {
        const auto pending = end ? std::optional{*end - std::min(*end, at.at)} : std::nullopt;
        table.add(
            {name, std::to_string(at.start), std::to_string(at.at), or_unknown(pending),
             std::to_string(at.damaged)}
        );
    }
    to.out << '\n' << table.text();
}

std::string purpose_of(std::string_view name) {
    if (name.ends_with(".damaged") || name.ends_with(".torn")) return "set aside: could not be read";
    if (spare_number(name)) return "room for the next segment";
    if (name.ends_with(".new")) return "being made";
    return "not of the journal";
}

void list_others(const inspection& to) {
    using enum text_table::align;
    text_table table{{{"OTHER FILE", left}, {"WHAT IT IS", left}}};
    bool any = false;
    for (const auto& name : to.files.list(to.directory)) {
        if (first_position(name) || name == "cursors" || name == "lock" || name == "last_run") continue;
        table.add({name, purpose_of(name)});
        any = true;
    }
    if (any) to.out << '\n' << table.text();
}

std::string as_fields(const passed_event& passed) {
    const auto& event = passed.event;
    auto line = fmt::format("{}\t", passed.position);
    base::append_rfc3339(line, event.received_at);
    for (const auto text : {event.type, event.source, event.id}) {
        line += '\t';
        base::append_json_string(line, text); // so that no event can break its line
    }
    return line + fmt::format("\t{}\n", event.data.size());
}

std::string as_json(const passed_event& passed) {
    std::string line;
    base::append_cloudevent(line, passed.event);
    return line + '\n';
}

class printing {
public:
    printing(const inspection& to, const event_printing& how) : to_{to}, how_{how}, next_{how.from} {}

    inspection_result run() {
        const auto all = survey(to_.files, to_.directory);
        if (!all.empty()) begin_at(all.front().first);
        for (std::size_t i = 0; i < all.size(); ++i) {
            const auto end = i + 1 < all.size() ? all[i + 1].first : 0;
            if (end != 0 && end <= how_.from) continue;
            if (all[i].header.state == header_state::newer) {
                to_.errors << newer_version(all[i]) << '\n';
                return inspection_result::impossible;
            }
            print(all[i]);
            skip_to(end, all[i].name);
        }
        return result_;
    }

private:
    // What every sink has got is not kept, and that is no damage.
    void begin_at(trackd::position oldest) {
        if (how_.from > 1 && how_.from < oldest)
            to_.errors << fmt::format("# {} not kept any more\n", positions(how_.from, oldest));
        next_ = std::max(next_, oldest);
    }

    void print(const surveyed_segment& segment) {
        given_up_ = false;
        try {
            if (segment.is_sound())
                print_all(segment);
            else
                complain(segment, segment.error.empty() ? "its header cannot be read" : segment.error);
        } catch (const std::system_error& failure) {
            complain(segment, failure.what());
        }
    }

    void print_all(const surveyed_segment& segment) {
        segment_pass pass{to_.files, to_.directory, segment};
        for (auto step = pass.next(); !std::holds_alternative<segment_end>(step); step = pass.next()) {
            if (const auto* passed = std::get_if<passed_event>(&step))
                print(*passed);
            else
                complain_of(std::get<flaw>(step), segment);
        }
    }

    void print(const passed_event& passed) {
        if (passed.position < next_) return;
        to_.out << (how_.json ? as_json(passed) : as_fields(passed));
        if (!to_.out) throw std::runtime_error{"the events cannot be written out"};
        next_ = passed.position + 1;
    }

    void complain_of(const flaw& found, const surveyed_segment& in) {
        if (found.end < next_) return;
        if (found.bytes > 0)
            complain(in, fmt::format("{} bytes from offset {} on cannot be read", found.bytes, found.offset));
        skip_to(found.end, in.name);
    }

    // What should have come before that position has not.
    void skip_to(trackd::position end, std::string_view where) {
        if (next_ >= end) return;
        if (!given_up_) tell(where, positions(next_, end) + " missing");
        next_ = end;
    }

    // Where the daemon has given up the segment meanwhile, every sink has what was in it.
    void complain(const surveyed_segment& segment, std::string_view what) {
        given_up_ = !is_still_there(to_.files, to_.directory, segment);
        if (!given_up_) tell(segment.name, what);
    }

    void tell(std::string_view where, std::string_view what) {
        to_.errors << fmt::format("# {}: {}\n", where, what);
        result_ = inspection_result::damaged;
    }

    const inspection& to_;
    const event_printing how_;
    trackd::position next_;
    bool given_up_ = false; // the segment that is read, by the daemon
    inspection_result result_ = inspection_result::good;
};

std::string names_of(const cursors& all) {
    std::string names;
    for (const auto& [name, at] : all)
        names += (names.empty() ? "" : ", ") + name;
    return names.empty() ? "no sink at all" : names;
}

} // namespace

inspection_result list_journal(const inspection& to) {
    const auto kept = peek_cursors(to.files, to.directory);
    const auto all = survey(to.files, to.directory);
    const auto end = end_of(to, all);
    list_segments(to, all, end);
    list_cursors(to, kept.all, end);
    list_others(to);
    if (!kept.problem.empty()) to.errors << kept.problem << '\n';
    auto result = inspection_result::good;
    for (const auto& segment : all) {
        if (segment.header.state != header_state::newer) continue;
        to.errors << newer_version(segment) << '\n';
        result = inspection_result::impossible;
    }
    return result;
}

inspection_result print_events(const inspection& to, const event_printing& how) {
    return printing{to, how}.run();
}

inspection_result forget_sink(const inspection& in, std::string_view sink) {
    const bool has_segments = !survey(in.files, in.directory).empty(); // or a lock would be made elsewhere
    const directory_lock lock{in.directory};
    if (const auto seen = peek_cursors(in.files, in.directory); !seen.problem.empty())
        throw std::runtime_error{seen.problem + "; nothing was changed"};
    auto kept = read_cursors(in.files, in.directory); // which are safe now
    const auto found = kept.all.find(sink);
    if (found == kept.all.end())
        throw std::runtime_error{fmt::format(
            "{}: no sink is called \"{}\"; there is {}", (in.directory / "cursors").string(), sink,
            names_of(kept.all)
        )};
    const auto at = found->second.at;
    kept.all.erase(found);
    const bool others_are_there =
        std::ranges::any_of(kept.all, [at](const auto& one) { return one.second.at >= at; });
    if (!has_segments && !others_are_there)
        throw std::runtime_error{fmt::format(
            "the journal is empty, and only the cursor of {} says which position comes next; forget it after "
            "the next "
            "event was stored",
            sink
        )};
    write_cursors(in.files, in.directory, kept.all);
    in.out << fmt::format(
        "forgot {}, which had got to position {}; if it is still configured, it begins anew where its "
        "`start` says\n",
        sink, at
    );
    return inspection_result::good;
}

} // namespace trackd::journal
