// What the tests of all sinks need: events that are hard to write down, a directory of their own, a disk that
// is full.
#pragma once

#include "support/catch.hpp"
#include "support/temporary_directory.hpp"

#include <trackd/sink.hpp>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <span>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <sys/resource.h>
#include <vector>

namespace trackd::test {

/// While it lives, no file of this process grows beyond so many bytes: a write is cut short there, and the
/// next fails.
class file_size_limit {
public:
    explicit file_size_limit(std::size_t bytes) : signal_{std::signal(SIGXFSZ, SIG_IGN)} {
        ::getrlimit(RLIMIT_FSIZE, &before_);
        rlimit limit = before_;
        limit.rlim_cur = bytes;
        ::setrlimit(RLIMIT_FSIZE, &limit);
    }

    ~file_size_limit() {
        ::setrlimit(RLIMIT_FSIZE, &before_);
        std::signal(SIGXFSZ, signal_);
    }

    file_size_limit(const file_size_limit&) = delete;
    file_size_limit& operator=(const file_size_limit&) = delete;

private:
    rlimit before_{};
    void (*signal_)(int);
};

inline constexpr wall_time noon = std::chrono::sys_days{std::chrono::year{2026} / 11 / 21} +
                                  std::chrono::hours{12} + std::chrono::microseconds{250};

/// Shown in the sinks as `noon_text` and, an hour later, `one_text`.
inline constexpr std::string_view noon_text = "2026-11-21T12:00:00.000250Z";
inline constexpr std::string_view one_text = "2026-11-21T13:00:00.000250Z";

/// The views live as long as what they are made of: literals, mostly.
inline event_view
make_event(std::string_view id, std::string_view data = "{}", data_kind kind = data_kind::json) {
    event_view event;
    event.id = id;
    event.source = "shop";
    event.type = "order";
    event.data = data;
    event.kind = kind;
    event.time = noon;
    event.received_at = noon + std::chrono::hours{1};
    return event;
}

/// Events with ids from `first` on, for tests that only count.
class numbered_events {
public:
    explicit numbered_events(std::size_t count, std::size_t first = 1) {
        for (std::size_t i = 0; i < count; ++i)
            ids_.push_back(std::to_string(first + i));
        for (const auto& id : ids_)
            events_.push_back(make_event(id));
    }

    operator std::span<const event_view>() const { return events_; }

    [[nodiscard]] const std::vector<std::string>& ids() const { return ids_; }

private:
    std::vector<std::string> ids_;
    std::vector<event_view> events_;
};

inline const std::string& one_mebibyte_of_json() {
    static const std::string text = '"' + std::string(1024 * 1024, 'x') + '"';
    return text;
}

/// Everything that has ever gone wrong in somebody's sink.
inline std::vector<event_view> tricky_events() {
    using std::string_view_literals::operator""sv;
    std::vector<event_view> events{
        make_event("plain", R"({"n":1})"),
        make_event("no data", "", data_kind::none),
        make_event("line breaks", "{\n  \"a\": \"b\\nc\",\r\n  \"d\": []\n}\n"),
        make_event("empty text", "", data_kind::text),
        make_event("text", "it's \"text\"\nof two lines; DROP TABLE events --", data_kind::text),
        make_event("emoji", "🎉 \xED\x95\x9C", data_kind::text),
        make_event("text with NUL", "before\0after"sv, data_kind::text),
        make_event("binary", "\xFF\xFE\x00\x80\xC0"sv, data_kind::binary),
        make_event("binary that is text", "héllo", data_kind::binary),
        make_event("empty binary", "", data_kind::binary),
        make_event("large", one_mebibyte_of_json()),
        make_event("quote \" apostrophe ' backslash \\ newline \n 🎉"),
    };
    auto full = make_event("everything", "[1.50]");
    full.source = "https://example.com/ä?x='1'";
    full.type = "com.example.\"quoted\"";
    full.subject = "subject\twith a tab";
    full.datacontenttype = "application/json; charset=utf-8";
    full.extensions = R"({"traceparent":"00-\"1\"","sampledrate":3})";
    events.push_back(full);
    auto same_id = make_event("plain", R"("another source")");
    same_id.source = "warehouse";
    events.push_back(same_id);
    return events;
}

/// Writes as a delivery does: what was not confirmed comes again at once.
inline std::size_t write_all(sink& to, std::span<const event_view> events) {
    std::size_t duplicates = 0;
    while (!events.empty()) {
        const auto result = to.write(events, {});
        if (result.confirmed == 0) throw std::runtime_error{"nothing was confirmed, without an exception"};
        duplicates += result.duplicates;
        events = events.subspan(result.confirmed);
    }
    return duplicates;
}

inline std::string read_file(const std::filesystem::path& path) {
    std::ifstream in{path, std::ios::binary};
    if (!in) throw std::runtime_error{"cannot read " + path.string()};
    std::ostringstream all;
    all << in.rdbuf();
    return all.str();
}

inline void write_file(const std::filesystem::path& path, std::string_view text) {
    std::ofstream out{path, std::ios::binary};
    out << text;
    if (!out.flush()) throw std::runtime_error{"cannot write " + path.string()};
}

inline void append_to_file(const std::filesystem::path& path, std::string_view text) {
    std::ofstream out{path, std::ios::binary | std::ios::app};
    out << text;
    if (!out.flush()) throw std::runtime_error{"cannot write " + path.string()};
}

/// What a call throws; fails the test if it does not.
template <typename Call>
std::string error_of(Call call) {
    try {
        call();
    } catch (const std::exception& error) {
        return error.what();
    }
    FAIL("nothing was thrown");
    return {};
}

inline bool contains(std::string_view text, std::string_view part) {
    return text.find(part) != text.npos;
}

inline std::size_t count(std::string_view text, std::string_view part) {
    std::size_t found = 0;
    for (auto at = text.find(part); at != text.npos; at = text.find(part, at + part.size()))
        ++found;
    return found;
}

} // namespace trackd::test
