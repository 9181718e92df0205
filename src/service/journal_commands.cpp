#include "service/journal_commands.hpp"

#include "backlog/inspect.hpp"
#include "service/parts.hpp"

#include <ostream>
#include <stdexcept>

namespace trackd::service {

namespace {

journal::inspection_result run(const journal_line& line, const journal::inspection& in) {
    switch (line.what) {
    case journal_command::list: return list_journal(in);
    case journal_command::verify: return verify_journal(in);
    case journal_command::cat: return print_events(in, {line.from, line.json});
    case journal_command::forget: return forget_sink(in, line.sink);
    }
    throw std::logic_error{"an unknown journal command"};
}

} // namespace

int run_journal_command(
    const journal_line& line, const config::settings& settings, std::ostream& out, std::ostream& errors
) {
    const auto directory = journal_directory(settings).lexically_normal();
    const auto result = run(line, {journal::real_file_system(), directory, out, errors});
    if (!out.flush()) throw std::runtime_error{"standard output cannot be written to"};
    return static_cast<int>(result);
}

} // namespace trackd::service
