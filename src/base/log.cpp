#include "base/log.hpp"

#include "base/json_text.hpp"
#include "base/standard_error.hpp"

#include <spdlog/formatter.h>
#include <spdlog/pattern_formatter.h>

#include <atomic>
#include <cerrno>
#include <exception>
#include <fcntl.h>
#include <memory>
#include <string>
#include <system_error>
#include <unistd.h>

namespace trackd::base {

namespace {

// One JSON object a line: {"time":"…","level":"info","message":"…"}. A pattern could not escape the message.
class json_formatter final : public spdlog::formatter {
public:
    void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& to) override {
        time_.format(message, to);
        line_.assign("\"level\":");
        append_json_string(line_, to_string(spdlog::level::to_string_view(message.level)));
        line_ += ",\"message\":";
        append_json_string(line_, to_string(message.payload));
        line_ += "}\n";
        to.append(line_.data(), line_.data() + line_.size());
    }

    [[nodiscard]] std::unique_ptr<spdlog::formatter> clone() const override {
        return std::make_unique<json_formatter>();
    }

private:
    static std::string_view to_string(spdlog::string_view_t text) { return {text.data(), text.size()}; }

    spdlog::pattern_formatter time_{
        R"({"time":"%Y-%m-%dT%H:%M:%S.%fZ",)", spdlog::pattern_time_type::utc, ""
    };
    std::string line_;
};

// For those who cannot wait for the logger's lock.
std::atomic<log_format> format_in_use{log_format::text};

constexpr auto text_pattern = "%Y-%m-%dT%H:%M:%S.%eZ %^%-5l%$ %v";

std::unique_ptr<spdlog::formatter> make_formatter(log_format format) {
    if (format == log_format::json) return std::make_unique<json_formatter>();
    return std::make_unique<spdlog::pattern_formatter>(text_pattern, spdlog::pattern_time_type::utc);
}

spdlog::logger make_logger(unread line) {
    spdlog::logger made{"trackd", std::make_shared<standard_error>(line)};
    made.set_formatter(make_formatter(log_format::text));
    made.flush_on(spdlog::level::trace);
    return made;
}

} // namespace

spdlog::logger& log() noexcept {
    // The one object that everybody may reach: passing a logger through every constructor would buy nothing,
    // and a log line must be possible before and after everything else stands.
    static spdlog::logger logger = make_logger(unread::is_dropped);
    return logger;
}

spdlog::logger& event_log() noexcept {
    static spdlog::logger logger = make_logger(unread::waits);
    return logger;
}

void set_up_log(std::string_view level, log_format format) {
    format_in_use = format;
    for (auto* logger : {&log(), &event_log()}) {
        logger->set_formatter(make_formatter(format));
        logger->set_level(spdlog::level::from_str(std::string{level}));
    }
}

descriptor open_log_file(const std::string& path) {
    constexpr mode_t for_its_group_too = 0640;
    descriptor file{
        ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, for_its_group_too)
    };
    if (!file) throw std::system_error{errno, std::generic_category(), "cannot open " + path};
    return file;
}

void lead_standard_error_into(const descriptor& file) {
    static const descriptor original{::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0)};
    const auto& to = file ? file : original;
    if (::dup2(to.get(), STDERR_FILENO) == -1)
        throw std::system_error{errno, std::generic_category(), "cannot lead standard error elsewhere"};
}

void log_without_waiting(spdlog::level::level_enum level, std::string_view message) noexcept {
    try {
        spdlog::memory_buf_t line;
        const spdlog::string_view_t text{message.data(), message.size()};
        make_formatter(format_in_use)->format({spdlog::string_view_t{}, level, text}, line);
        if (takes_line(0)) static_cast<void>(!::write(STDERR_FILENO, line.data(), line.size()));
    } catch (const std::exception&) {
        return; // no memory for a line: whoever calls this has something more urgent to do
    }
}

void flush_log() noexcept {
    log().flush();
}

} // namespace trackd::base
