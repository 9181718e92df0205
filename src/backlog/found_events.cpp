#include "backlog/found_events.hpp"

#include "backlog/segment_walk.hpp"
#include "base/rfc3339.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <system_error>
#include <variant>

namespace trackd::journal {

namespace {

// It may stand behind marks. More steps would be a search through damage, which the sinks' reads do anyway.
constexpr int most_steps = 4;

std::optional<wall_time> time_of_oldest(file_system& files, const segment_file& segment) {
    try {
        const auto open = files.open(segment.path, open_mode::read);
        segment_walk walk{
            *open, segment.header, {segment_header::encoded_bytes, segment.header.first}, segment.bytes
        };
        for (int i = 0; i < most_steps; ++i) {
            const auto step = walk.next();
            const auto* record = std::get_if<found_record>(&step);
            if (record == nullptr) return {};
            if (record->head.kind == record_kind::event)
                return (*batch::iterator{record->body.data()}).received_at;
        }
    } catch (const std::system_error&) { // a sink that reads there reports it
    }
    return {};
}

std::string describe_end(run_end last_run, std::uint64_t torn_bytes) {
    std::string text;
    switch (last_run) {
    case run_end::first_start: text = "none, this is the first start"; break;
    case run_end::clean: text = "clean stop"; break;
    case run_end::killed: text = "killed (no clean stop: SIGKILL, a crash or a power cut)"; break;
    case run_end::unknown:
        text = "unknown (no mark of its end: an older version, or a copied directory)";
        break;
    }
    if (torn_bytes > 0)
        text += fmt::format("; torn tail: {} bytes of an unfinished commit are set aside", torn_bytes);
    return text;
}

} // namespace

journal_found measure_found(file_system& files, const recovered& found, run_end last_run) {
    journal_found held{.last_run = last_run};
    if (found.segments.empty()) return held;
    const auto& oldest = found.segments.front();
    held.events = found.goes_on.next - std::min(oldest.header.first, found.goes_on.next);
    for (const auto& segment : found.segments)
        held.bytes += segment.bytes - std::min<std::uint64_t>(segment.bytes, segment_header::encoded_bytes);
    if (held.events > 0) held.oldest = time_of_oldest(files, oldest);
    return held;
}

std::string describe(const journal_found& found, std::uint64_t torn_bytes) {
    if (found.last_run == run_end::first_start) return "journal: new and empty, this is the first start";
    std::string text = "journal: no events";
    if (found.events > 0) text = fmt::format("journal: {} events, {} bytes", found.events, found.bytes);
    if (found.oldest) {
        text += ", oldest received ";
        base::append_rfc3339(text, *found.oldest);
    }
    return text + "; last run: " + describe_end(found.last_run, torn_bytes);
}

} // namespace trackd::journal
