#include "sinks/file.hpp"

#include "base/json_text.hpp"
#include "base/log.hpp"
#include "sinks/file_calls.hpp"
#include "sinks/file_place.hpp"
#include "sinks/file_replay.hpp"
#include "sinks/line_file.hpp"
#include "sinks/packed_file.hpp"
#include "sinks/rotated_files.hpp"

#include <algorithm>
#include <chrono>
#include <exception>
#include <filesystem>
#include <optional>
#include <ranges>
#include <span>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace trackd::sinks {

namespace fs = std::filesystem;

namespace {

// What every line begins with that append_cloudevent writes.
constexpr auto line_start = R"({"specversion":"1.0","id":")";

class file_sink final : public sink {
public:
    file_sink(file_options options, wall_clock now, base::boot_clock boot)
        : options_{std::move(options)}, now_{std::move(now)}, boot_{std::move(boot)},
          file_{fs::absolute(options_.path), line_start}, rotated_{file_.path()} {}

    void check() override {
        file_.check();
        std::error_code missing; // it is made by `open`
        if (fs::exists(file_.path().parent_path(), missing)) static_cast<void>(all_files());
    }

    void open() override {
        make_directories(file_.path().parent_path());
        file_.open();
        std::error_code ignored; // it would be replaced
        fs::remove(unfinished_path(), ignored);
        bookmark_ = bookmark_at_end();
    }

    [[nodiscard]] std::string bookmark() const override { return bookmark_; }

    void resume(std::string_view bookmark) override {
        bookmark_ = bookmark;
        resuming_ = true;
    }

    write_result write(std::span<const event_view> events, std::stop_token stop) override {
        if (stop.stop_requested()) return {};
        if (!file_.follow_path()) {
            fingerprint_.clear();
            first_event_at_.reset();
        }
        if (resuming_) {
            const auto known = recognise(events, stop);
            if (known > 0) return {.confirmed = known, .duplicates = known};
        }
        if (is_due()) rotate(stop);
        auto taken = take_what_fits(events);
        if (taken == 0) {
            rotate(stop);
            taken = take_what_fits(events);
        }
        append();
        // What did not fit belongs into the next file, and comes again at once.
        return {.confirmed = taken, .duplicates = 0};
    }

    void close() override {
        if (file_.is_open()) file_.sync();
        file_.close();
    }

private:
    // --- after a restart

    // Where nothing was kept from an earlier process, what comes belongs behind all that is there.
    [[nodiscard]] std::string bookmark_at_end() const {
        auto files = all_files();
        try {
            for (; !files.empty(); files.pop_back())
                if (const auto end = end_of(files.back())) return to_bookmark(*end);
            return to_bookmark({});
        } catch (const std::exception& why) {
            base::log().warn(
                "{}; so it is not known for sure where {} begins", why.what(), file_.path().string()
            );
            return {};
        }
    }

    [[nodiscard]] std::vector<fs::path> closed_files() const {
        auto files = rotated_.list();
        std::error_code ignored; // it is none then
        std::erase_if(files, [&](const fs::path& file) { return !fs::is_regular_file(file, ignored); });
        return files;
    }

    // Closed ones, and the current one.
    [[nodiscard]] std::vector<fs::path> all_files() const {
        auto files = closed_files();
        files.push_back(file_.path());
        return files;
    }

    /// @return how many of the events are there already; 0 from then on when one is not
    std::size_t recognise(std::span<const event_view> events, const std::stop_token& stop) {
        std::size_t known = 0;
        try {
            if (!replay_ && !begin_replay(stop)) return 0;
            for (const auto& event : events) {
                render_alone(event);
                if (!replay_->find(buffer_, stop)) break;
                ++known;
            }
        } catch (...) {
            replay_.reset(); // begins again where the last confirmed event is
            throw;
        }
        bookmark_ = to_bookmark(replay_->place());
        if (known < events.size()) end_replay();
        return known;
    }

    /// @return whether something is behind the bookmark
    bool begin_replay(const std::stop_token& stop) {
        const auto place = place_from(bookmark_);
        if (place) replay_ = file_replay::begin(all_files(), *place, stop);
        if (!replay_) {
            base::log().warn(
                "{}: the place up to which events count as delivered ({}) is in none of the files any more: "
                "those that "
                "come again now may be there twice",
                file_.path().string(), bookmark_
            );
        } else if (replay_->at_end()) {
            end_replay();
        } else if (!is_safe()) {
            replay_.reset();
        }
        resuming_ = replay_.has_value();
        return resuming_;
    }

    // The process before may have been killed in front of its sync. A sync that has failed is not tried again and
    // believed.
    [[nodiscard]] bool is_safe() const {
        try {
            if (options_.sync) replay_->sync();
            return true;
        } catch (const std::exception& why) {
            base::log().warn("{}: events that were not confirmed are written again", why.what());
            return false;
        }
    }

    void end_replay() {
        if (replay_->found() > 0)
            base::log().info(
                "{}: {} events that came again were there already", file_.path().string(), replay_->found()
            );
        if (replay_->others() > 0)
            base::log().warn(
                "{}: {} lines, the first in {}, are of events that did not come again, or differ from them, "
                "which may "
                "be there twice then",
                file_.path().string(), replay_->others(), replay_->first_of_others().string()
            );
        if (!replay_->damage().empty())
            base::log().warn("{}: what comes again may be there twice", replay_->damage());
        replay_.reset();
        resuming_ = false;
    }

    // --- writing

    void render_alone(const event_view& event) {
        buffer_.clear();
        render(event);
    }

    void render(const event_view& event) {
        base::append_cloudevent(buffer_, event);
        buffer_ += '\n';
    }

    // Renders as many events into the buffer as the file has room for; if it is empty, one at least.
    std::size_t take_what_fits(std::span<const event_view> events) {
        buffer_.clear();
        std::size_t taken = 0;
        for (const auto& event : events) {
            const auto before = buffer_.size();
            render(event);
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

    void append() {
        if (file_.size() == 0) {
            first_event_at_ = boot_();
            fingerprint_ = fingerprint_of_line(buffer_);
        } else if (fingerprint_.empty()) {
            fingerprint_ = fingerprint_of(file_.path());
        }
        file_.append(buffer_, options_.sync);
        bookmark_ = to_bookmark({fingerprint_, file_.size()});
        if (buffer_.capacity() > keep_capacity) buffer_ = {};
    }

    // --- closing files

    [[nodiscard]] bool is_due() {
        const std::chrono::nanoseconds every = options_.rotate_every;
        if (every.count() == 0 || file_.size() == 0) return false;
        if (!first_event_at_) { // the file is of an earlier process: only the wall clock has gone on since then
            const std::chrono::nanoseconds age = now_() - file_.born();
            first_event_at_ = boot_() - std::clamp(age, std::chrono::nanoseconds{0}, every);
        }
        return boot_() - *first_event_at_ >= every;
    }

    void rotate(const std::stop_token& stop) {
        const auto now = now_();
        const auto target = rotated_.next(now);
        warn_if_ahead(target, now);
        fs::rename(file_.path(), target);
        first_event_at_.reset();
        file_.open();
        base::log().info("{} is now {}", file_.path().string(), target.filename().string());
        rotated_.prune(options_.keep_files);
        if (options_.compression == file_compression::zstd) pack_closed(stop);
    }

    // Once, until a name follows the clock again.
    void warn_if_ahead(const fs::path& target, wall_time now) {
        const bool ahead = rotated_.is_ahead(target, now);
        if (ahead && !names_ahead_)
            base::log().warn(
                "{}: a closed file has a name from the future; names go on from there, to keep the order of "
                "the "
                "files; "
                "rename the files from the future to have names follow the clock again: {}",
                file_.path().string(), target.filename().string()
            );
        names_ahead_ = ahead;
    }

    // The oldest first, and only two: the one that was closed now, and one that an error or a crash has left. So events
    // do not wait for long. After one that fails those behind it come first, so that all get their turn.
    void pack_closed(const std::stop_token& stop) {
        constexpr std::size_t most = 2;
        auto files = closed_files();
        std::erase_if(files, [this](const fs::path& file) { return rotated_.is_packed(file); });
        std::ranges::rotate(files, std::ranges::upper_bound(files, not_packed_));
        std::size_t packed = 0;
        for (const auto& file : files | std::views::take(most))
            if (pack(file, stop)) ++packed;
        if (packed == files.size()) packing_fails_ = false;
    }

    // Nothing that goes wrong here is a reason not to write.
    [[nodiscard]] bool pack(const fs::path& file, const std::stop_token& stop) {
        try {
            if (!pack_file(file, unfinished_path(), rotated_files::packed(file), stop)) return false;
            fs::remove(file);
            return true;
        } catch (const std::exception& why) {
            not_packed_ = file;
            if (!std::exchange(packing_fails_, true))
                base::log().warn(
                    "{}: a closed file stays as it is, and is packed later: {}", file_.path().string(),
                    why.what()
                );
            return false;
        }
    }

    [[nodiscard]] fs::path unfinished_path() const { return file_.path().string() + ".zst.new"; }

    static constexpr std::size_t keep_capacity = 16U * 1024U * 1024U; // of the buffer, between two writes

    const file_options options_;
    const wall_clock now_;
    const base::boot_clock boot_;
    line_file file_;
    const rotated_files rotated_;
    std::string buffer_;
    std::string fingerprint_; // of the current file; empty: not known
    std::string bookmark_;
    std::optional<std::chrono::nanoseconds> first_event_at_; // of the current file, since boot
    bool names_ahead_ = false;                               // of the clock
    bool resuming_ = false;                                  // events that come may be there
    std::optional<file_replay> replay_;                      // when that was looked into
    fs::path not_packed_;                                    // because of the last error
    bool packing_fails_ = false;                             // which is said once, until all are packed
};

} // namespace

std::unique_ptr<sink> make_file_sink(file_options options, wall_clock now, base::boot_clock boot) {
    return std::make_unique<file_sink>(std::move(options), std::move(now), std::move(boot));
}

} // namespace trackd::sinks
