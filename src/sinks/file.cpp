#include "sinks/file.hpp"

#include "base/json_text.hpp"
#include "base/log.hpp"
#include "sinks/line_file.hpp"
#include "sinks/rotated_files.hpp"

#include <filesystem>
#include <span>
#include <string>
#include <utility>

namespace trackd::sinks {

namespace fs = std::filesystem;

namespace {

// What every line begins with that append_cloudevent writes.
constexpr auto line_start = R"({"specversion":"1.0","id":")";

class file_sink final : public sink {
public:
    file_sink(file_options options, std::function<wall_time()> now)
        : options_{std::move(options)}, now_{std::move(now)}, file_{fs::absolute(options_.path), line_start},
          rotated_{file_.path()} {}

    void open() override { file_.open(); }

    write_result write(std::span<const event_view> events, std::stop_token stop) override {
        if (stop.stop_requested()) return {};
        file_.follow_path();
        if (is_due()) rotate();
        auto taken = take_what_fits(events);
        if (taken == 0) {
            rotate();
            taken = take_what_fits(events);
        }
        if (file_.size() == 0) file_.age_from(now_());
        file_.append(buffer_, options_.sync);
        if (buffer_.capacity() > keep_capacity) buffer_ = {};
        // What did not fit belongs into the next file, and comes again at once.
        return {.confirmed = taken, .duplicates = 0};
    }

    void close() override {
        if (file_.is_open()) file_.sync();
        file_.close();
    }

private:
    [[nodiscard]] bool is_due() const {
        return options_.rotate_every.count() > 0 && file_.size() > 0 &&
               now_() - file_.born() >= options_.rotate_every;
    }

    void rotate() {
        const auto target = rotated_.next(now_());
        fs::rename(file_.path(), target);
        file_.open();
        base::log().info("{} is now {}", file_.path().string(), target.filename().string());
        rotated_.prune(options_.keep_files);
    }

    // Renders as many events into the buffer as the file has room for; if it is empty, one at least.
    std::size_t take_what_fits(std::span<const event_view> events) {
        buffer_.clear();
        std::size_t taken = 0;
        for (const auto& event : events) {
            const auto before = buffer_.size();
            base::append_cloudevent(buffer_, event);
            buffer_ += '\n';
            const bool fits =
                options_.rotate_bytes == 0 || file_.size() + buffer_.size() <= options_.rotate_bytes;
            if (!fits && file_.size() + before > 0) {
                buffer_.resize(before);
                break;
            }
            ++taken;
        }
        return taken;
    }

    static constexpr std::size_t keep_capacity = 16U * 1024U * 1024U; // of the buffer, between two writes

    const file_options options_;
    const std::function<wall_time()> now_;
    line_file file_;
    const rotated_files rotated_;
    std::string buffer_;
};

} // namespace

std::unique_ptr<sink> make_file_sink(file_options options, std::function<wall_time()> now) {
    return std::make_unique<file_sink>(std::move(options), std::move(now));
}

} // namespace trackd::sinks
