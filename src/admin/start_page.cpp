#include "admin/start_page.hpp"

#include "base/rfc3339.hpp"

#include <boost/json/value.hpp>

#include <string>

namespace trackd::admin {

namespace json = boost::json;

std::string_view to_string(run_end last_run) noexcept {
    switch (last_run) {
    case run_end::first_start: return "first_start";
    case run_end::clean: return "clean";
    case run_end::killed: return "killed";
    case run_end::unknown: return "unknown";
    }
    return "unknown";
}

json::object last_run_page(const journal_status& journal) {
    json::value oldest;
    if (journal.found.oldest) {
        std::string text;
        base::append_rfc3339(text, *journal.found.oldest);
        oldest = text;
    }
    const auto end = to_string(journal.found.last_run);
    return {
        {"ended", json::string_view{end.data(), end.size()}},
        {"torn_bytes", journal.torn_bytes},
        {"journal_events", journal.found.events},
        {"journal_bytes", journal.found.bytes},
        {"oldest_received_at", std::move(oldest)},
    };
}

json::object at_start_page(const pending_at_start& pending) {
    return {
        {"pending", pending.events},
        {"at_most", pending.at_most},
        {"caught_up", pending.caught_up},
    };
}

} // namespace trackd::admin
