#include "sinks/redeliver.hpp"

#include <algorithm>
#include <cstddef>
#include <exception>
#include <span>
#include <stdexcept>
#include <vector>

namespace trackd::sinks {

namespace {

// A write of many costs a sink little more than a write of one.
constexpr std::size_t most_at_once = 500;
constexpr std::size_t most_bytes_at_once = std::size_t{4} << 20U;
constexpr std::size_t most_failures = 8;

class redeliverer {
public:
    redeliverer(sink& to, letter_portion portion, const std::stop_token& stop)
        : to_{to}, portion_{portion}, stop_{stop} {}

    /// @return whether to go on
    bool take(const dead_letter& letter, const std::function<bool(const dead_letter&)>& wanted) {
        if (gone_.size() >= portion_.end) return true; // on to the lines that are no letters
        if (taken_ == portion_.most) {
            full_ = true;
            return false;
        }
        gone_.push_back(false);
        if (gone_.size() <= portion_.from || !wanted(letter)) return true;
        ++taken_;
        places_.push_back(gone_.size() - 1);
        bytes_ += letter.event.bytes();
        letters_.push_back(letter.event);
        return (letters_.size() < most_at_once && bytes_ < most_bytes_at_once) || flush();
    }

    void finish() {
        if (report_.error.empty()) flush();
        if (report_.error.empty() && failures_ > 0 && report_.delivered == 0 &&
            report_.refused == failures_) {
            report_.refused = 0;
            report_.error = last_failure_;
        }
        report_.finished = !full_ && report_.error.empty();
        report_.staying = gone_.size() - report_.delivered;
    }

    void fail(const std::string& why) {
        if (report_.error.empty()) report_.error = why;
        report_.finished = false;
    }

    /// The file is not written anew, and so they come again.
    void all_stay(const std::string& why) {
        fail(why + "; " + std::to_string(report_.delivered) + " that were delivered stay");
        report_.delivered = 0;
        report_.staying = gone_.size();
    }

    [[nodiscard]] const redelivery& report() const noexcept { return report_; }

    /// Whether the letter with this number was delivered.
    [[nodiscard]] bool is_gone(std::size_t number) const { return number < gone_.size() && gone_[number]; }

private:
    /// @return whether to go on
    bool flush() {
        try {
            write_all();
        } catch (const std::exception& why) {
            report_.error = why.what();
        }
        letters_.clear();
        places_.clear();
        bytes_ = 0;
        return report_.error.empty();
    }

    void write_all() {
        std::vector<event_view> events;
        for (const auto& letter : letters_)
            events.push_back(*letter.begin());
        std::size_t done = 0;
        std::size_t most = events.size();
        while (done < events.size()) {
            const auto given =
                std::span<const event_view>{events}.subspan(done, std::min(most, events.size() - done));
            try {
                done += write(given, done);
                failures_ = 0;
            } catch (const std::exception& why) {
                if (stop_.stop_requested()) throw;
                if (given.size() == 1) {
                    count_failure(why);
                    ++done;
                }
                most = 1; // they are here because they failed: more of them will
            }
        }
    }

    // A letter that fails alone stays, and holds up no other one, whatever the error is called. Where several in a row
    // fail without a rejection, or all there are (see `finish`), the sink is at fault.
    void count_failure(const std::exception& why) {
        ++report_.refused;
        if (dynamic_cast<const events_refused*>(&why) != nullptr) {
            failures_ = 0;
            return;
        }
        last_failure_ = why.what();
        if (++failures_ < most_failures) return;
        report_.refused -= failures_;
        throw std::runtime_error{last_failure_};
    }

    /// @return how many events it has dealt with
    std::size_t write(std::span<const event_view> given, std::size_t from) {
        const auto result = to_.write(given, stop_);
        if (result.confirmed > given.size())
            throw std::runtime_error{"the sink confirmed more events than it was given"};
        for (std::size_t i = 0; i < result.confirmed; ++i)
            gone_[places_[from + i]] = true;
        report_.delivered += result.confirmed;
        if (!result.refusal.empty()) {
            ++report_.refused;
            return result.confirmed + 1;
        }
        if (result.confirmed == 0)
            throw std::runtime_error{
                stop_.stop_requested() ? "the daemon stops"
                                       : "the sink confirmed nothing, and did not say why"
            };
        return result.confirmed;
    }

    sink& to_;
    const letter_portion portion_;
    const std::stop_token& stop_;
    std::uint64_t taken_ = 0;
    bool full_ = false;        // the portion; there are more
    std::size_t failures_ = 0; // in a row, that were no rejections
    std::string last_failure_;
    redelivery report_;
    std::vector<bool> gone_;          // by the letter's number
    std::vector<batch> letters_;      // that are to be written
    std::vector<std::size_t> places_; // and their numbers
    std::size_t bytes_ = 0;
};

} // namespace

redelivery redeliver(
    dead_letter_file& from, sink& to, const std::function<bool(const dead_letter&)>& wanted,
    letter_portion portion, const std::stop_token& stop
) {
    redeliverer work{to, portion, stop};
    std::string unread;
    try {
        from.for_each([&](const dead_letter& letter) { return work.take(letter, wanted); });
    } catch (const std::exception& why) {
        unread = why.what();
    }
    work.finish(); // what could be read
    if (!unread.empty()) work.fail(unread);
    if (work.report().delivered == 0) return work.report();
    // Who is to end soon leaves them there, to be recognised when they come again.
    if (stop.stop_requested()) {
        work.all_stay("the daemon stops");
        return work.report();
    }
    try {
        std::size_t number = 0;
        from.remove_if([&](const dead_letter&) { return work.is_gone(number++); });
    } catch (const std::exception& why) {
        work.all_stay(why.what());
    }
    return work.report();
}

} // namespace trackd::sinks
