#include "sinks/dead_letter_file.hpp"

#include "base/base64.hpp"
#include "base/json_text.hpp"
#include "base/log.hpp"
#include "base/rfc3339.hpp"
#include "sinks/file_calls.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <optional>
#include <stdexcept>
#include <system_error>

namespace trackd::sinks {

namespace fs = std::filesystem;
namespace json = boost::json;

namespace {

constexpr auto line_start = R"({"reason":")";
constexpr std::string_view event_member = R"(,"event":{)";
constexpr std::string_view encoded_member = R"(,"encoded":")";
constexpr std::string_view line_end = R"("})";

void append_line(std::string& out, const event_view& event, const death& of, wall_time now) {
    out += R"({"reason":)";
    base::append_json_string(out, of.reason);
    out += R"(,"time":")";
    base::append_rfc3339(out, now);
    out += R"(","attempts":)" + std::to_string(of.attempts) + R"(,"event":)";
    base::append_cloudevent(out, event);
    out += encoded_member;
    batch encoded;
    encoded.append(event);
    base::append_base64(out, encoded.encoded());
    out += line_end;
    out += '\n';
}

/// No string of JSON has a quote in it that is not escaped: so these texts stand nowhere but between members.
std::optional<dead_letter> parse_line(std::string_view line) {
    const auto head_end = line.find(event_member);
    const auto encoded = line.rfind(encoded_member);
    if (head_end == line.npos || encoded == line.npos || encoded < head_end || !line.ends_with(line_end))
        return {};
    boost::system::error_code failure;
    const auto head = json::parse(std::string{line.substr(0, head_end)} + '}', failure);
    if (failure || !head.is_object()) return {};
    const auto* reason = head.as_object().if_contains("reason");
    const auto* time = head.as_object().if_contains("time");
    const auto* attempts = head.as_object().if_contains("attempts");
    if (!reason || !reason->is_string() || !time || !time->is_string() || !attempts) return {};
    const auto start = encoded + encoded_member.size();
    const auto text = line.substr(start, line.size() - line_end.size() - start);
    std::string bytes(text.size() / 4 * 3, '\0');
    bytes.resize(base::decode_base64(text, bytes.data()).value_or(0));
    if (!is_one_event(bytes)) return {};
    dead_letter letter;
    letter.reason = std::string{reason->get_string().data(), reason->get_string().size()};
    letter.time = std::string{time->get_string().data(), time->get_string().size()};
    letter.attempts = attempts->to_number<std::uint64_t>(failure);
    if (failure) return {};
    letter.event.append(*batch::iterator{bytes.data()});
    return letter;
}

/// Not to be taken for the end of the file.
void check_read(const std::ifstream& from, const fs::path& path) {
    if (from.bad()) throw std::system_error{EIO, std::generic_category(), "cannot read " + path.string()};
}

std::uint64_t lines_of(const fs::path& path) {
    std::ifstream in{path, std::ios::binary};
    std::uint64_t lines = 0;
    for (std::string line; std::getline(in, line);)
        ++lines;
    check_read(in, path);
    return lines;
}

/// Reads letter by letter.
class reader {
public:
    explicit reader(const fs::path& path) : path_{path}, in_{path, std::ios::binary} {
        if (!in_ && fs::exists(path))
            throw std::system_error{errno, std::generic_category(), "cannot open " + path.string()};
    }

    /// @return whether there is another line
    bool next_line() {
        if (!in_.is_open()) return false;
        const bool whole = std::getline(in_, line_) && !in_.eof(); // or it is being written
        check_read(in_, path_);
        if (whole) ++number_;
        return whole;
    }

    /// Goes over lines that are none.
    /// @return nothing at the end
    std::optional<dead_letter> next() {
        while (next_line()) {
            if (auto letter = parse_line(line_)) return letter;
            if (++damaged_ == 1) first_damaged_ = number_;
        }
        return {};
    }

    /// Throws if a line that was gone over is no letter.
    void check_lines() const {
        if (damaged_ == 0) return;
        throw std::runtime_error{
            path_.string() + " line " + std::to_string(first_damaged_) + ": is no dead letter" +
            (damaged_ > 1 ? ", nor are " + std::to_string(damaged_ - 1) + " of those behind it" : "") +
            "; expected {\"reason\":…,\"time\":…,\"attempts\":…,\"event\":…,\"encoded\":…}"
        };
    }

    /// As it stood in the file.
    [[nodiscard]] const std::string& line() const noexcept { return line_; }

private:
    const fs::path& path_;
    std::ifstream in_;
    std::string line_;
    std::uint64_t number_ = 0;
    std::uint64_t damaged_ = 0;
    std::uint64_t first_damaged_ = 0;
};

} // namespace

void for_each_letter(const fs::path& path, const std::function<bool(const dead_letter&)>& look) {
    reader letters{path};
    while (const auto letter = letters.next())
        if (!look(*letter)) return;
    letters.check_lines();
}

void check_dead_letter_file(const fs::path& path) {
    if (fs::exists(path)) line_file{path, line_start}.check();
}

dead_letter_file::dead_letter_file(fs::path path, std::uint64_t max_bytes, wall_clock now)
    : max_bytes_{max_bytes}, now_{std::move(now)}, file_{std::move(path), line_start} {
    fs::remove(fresh_path()); // of a process that was killed
    if (!fs::exists(file_.path())) return;
    file_.open();
    count_ = lines_of(file_.path());
    bytes_ = file_.size();
}

void dead_letter_file::keep(std::span<const event_view> events, const death& of) {
    std::string lines;
    for (const auto& event : events)
        append_line(lines, event, of, now_());
    const std::lock_guard lock{mutex_};
    file_.follow_path();
    if (file_.size() + lines.size() > max_bytes_)
        throw std::runtime_error{
            "the dead letters in " + path().string() + " have " + std::to_string(file_.size()) +
            " bytes and may have " + std::to_string(max_bytes_) +
            " (dead_letters.max_bytes); `trackd dead-letters retry` or `drop` makes room"
        };
    file_.append(lines, true);
    count_ += events.size();
    bytes_ = file_.size();
}

void dead_letter_file::for_each(const std::function<bool(const dead_letter&)>& look) const {
    const std::lock_guard lock{mutex_};
    for_each_letter(path(), look);
}

std::uint64_t dead_letter_file::remove_if(const std::function<bool(const dead_letter&)>& is_wanted) {
    const std::lock_guard lock{mutex_};
    std::vector<bool> wanted; // by the number of the line
    reader letters{path()};
    while (letters.next_line()) {
        const auto letter = parse_line(letters.line());
        wanted.push_back(letter && is_wanted(*letter));
    }
    return remove(wanted);
}

std::uint64_t dead_letter_file::remove_all() {
    const std::lock_guard lock{mutex_};
    return remove(std::vector<bool>(lines_of(path()), true));
}

std::uint64_t dead_letter_file::remove(const std::vector<bool>& lines) {
    const auto removed = std::ranges::count(lines, true);
    if (removed == 0) return 0;
    try {
        rewrite_without(lines);
    } catch (...) {
        std::error_code left; // there is nothing more to be done about
        fs::remove(fresh_path(), left);
        throw;
    }
    return static_cast<std::uint64_t>(removed);
}

// What stays is written to a new file, which then takes the place of the old one: after a crash there is one or the other.
void dead_letter_file::rewrite_without(const std::vector<bool>& lines) {
    line_file rest{fresh_path(), line_start};
    fs::remove(rest.path());
    rest.open();
    reader letters{path()};
    for (const bool is_gone : lines)
        if (letters.next_line() && !is_gone) rest.append(letters.line() + '\n', false);
    rest.sync();
    fs::rename(rest.path(), path());
    count_ = static_cast<std::uint64_t>(std::ranges::count(lines, false));
    bytes_ = rest.size();
    file_.close();
    try {
        file_.open();
    } catch (const std::exception& why) { // they are gone all the same; the next one that is kept opens it
        base::log().warn("{}", why.what());
    }
}

} // namespace trackd::sinks
