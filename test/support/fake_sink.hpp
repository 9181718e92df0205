// A sink that does what a test tells it to.
#pragma once

#include <trackd/sink.hpp>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace trackd::test {

/// What a fake sink is told, and what it has seen: shared between the test and the sink's thread.
class fake_sink_script {
public:
    void fail_with(std::string error) {
        const std::lock_guard lock{mutex_};
        error_ = std::move(error);
    }

    void work() { fail_with(""); }

    /// Writes block until `release`, or until they are asked to stop.
    void hold() {
        const std::lock_guard lock{mutex_};
        held_ = true;
    }

    void release() {
        const std::lock_guard lock{mutex_};
        held_ = false;
        changed_.notify_all();
    }

    /// Writes throw what is no std::exception.
    void throw_a_number() {
        const std::lock_guard lock{mutex_};
        throws_a_number_ = true;
    }

    void confirm_too_many() {
        const std::lock_guard lock{mutex_};
        too_many_ = 1;
    }

    /// At most so many events are confirmed a write.
    void confirm_at_most(std::size_t events) {
        const std::lock_guard lock{mutex_};
        most_ = events;
    }

    /// Writes that contain one of these are refused as a whole.
    void refuse(std::set<std::string> ids) {
        const std::lock_guard lock{mutex_};
        refused_ = std::move(ids);
    }

    /// Writes that contain one of these fail as a whole, without a hint that events are at fault.
    void fail_on(std::set<std::string> ids, std::string error) {
        const std::lock_guard lock{mutex_};
        failing_ids_ = std::move(ids);
        id_error_ = std::move(error);
    }

    /// All writes are rejected.
    void reject_everything(bool yes) {
        const std::lock_guard lock{mutex_};
        rejects_everything_ = yes;
    }

    /// Events whose ids leave the same remainder have to be stored in order.
    void keep_order_by_remainder_of(int divisor) {
        const std::lock_guard lock{mutex_};
        order_divisor_ = divisor;
    }

    /// It says which of the events it was that it refuses, and stores those before.
    void name_the_refused() {
        const std::lock_guard lock{mutex_};
        names_refused_ = true;
    }

    /// Its bookmark from now on.
    void give_bookmark(std::string bookmark) {
        const std::lock_guard lock{mutex_};
        bookmark_ = std::move(bookmark);
    }

    /// Its bookmark is how many events it has.
    void count_in_bookmarks() {
        const std::lock_guard lock{mutex_};
        counts_in_bookmarks_ = true;
    }

    /// The bookmark that it was to go on at; "never" before that.
    [[nodiscard]] std::string resumed_at() const {
        const std::lock_guard lock{mutex_};
        return resumed_at_;
    }

    /// The next writes are told to come again after so long.
    void be_busy(std::chrono::milliseconds after) {
        const std::lock_guard lock{mutex_};
        busy_ = after;
    }

    /// So many portions of upkeep are to be done.
    void need_upkeeps(std::size_t portions) {
        const std::lock_guard lock{mutex_};
        upkeeps_needed_ = portions;
    }

    void fail_upkeep_with(std::string error) {
        const std::lock_guard lock{mutex_};
        upkeep_error_ = std::move(error);
    }

    /// Upkeep blocks until it is asked to stop.
    void hold_upkeep() {
        const std::lock_guard lock{mutex_};
        upkeep_held_ = true;
    }

    /// Each upkeep as the number of writes that came before it.
    [[nodiscard]] std::vector<std::size_t> upkeeps() const {
        const std::lock_guard lock{mutex_};
        return upkeeps_;
    }

    [[nodiscard]] std::vector<std::string> ids() const {
        const std::lock_guard lock{mutex_};
        return ids_;
    }

    [[nodiscard]] std::size_t attempts() const {
        const std::lock_guard lock{mutex_};
        return attempts_;
    }

    [[nodiscard]] bool closed() const {
        const std::lock_guard lock{mutex_};
        return closed_;
    }

private:
    friend class fake_sink;
    mutable std::mutex mutex_;
    std::condition_variable_any changed_;
    std::string error_;
    bool held_ = false;
    bool throws_a_number_ = false;
    std::size_t too_many_ = 0;
    bool closed_ = false;
    std::size_t most_ = static_cast<std::size_t>(-1);
    std::set<std::string> refused_;
    std::set<std::string> failing_ids_;
    std::string id_error_;
    bool rejects_everything_ = false;
    int order_divisor_ = 0;
    bool names_refused_ = false;
    std::string bookmark_;
    bool counts_in_bookmarks_ = false;
    std::string resumed_at_ = "never";
    std::chrono::milliseconds busy_{0};
    std::size_t upkeeps_needed_ = 1;
    std::string upkeep_error_;
    bool upkeep_held_ = false;
    std::vector<std::size_t> upkeeps_;
    std::size_t attempts_ = 0;
    std::vector<std::string> ids_;
};

class fake_sink final : public sink {
public:
    explicit fake_sink(std::shared_ptr<fake_sink_script> script) : script_{std::move(script)} {}

    write_result write(std::span<const event_view> events, std::stop_token stop) override {
        std::unique_lock lock{script_->mutex_};
        ++script_->attempts_;
        script_->changed_.wait(lock, stop, [this] { return !script_->held_; });
        if (stop.stop_requested()) return {};
        if (script_->throws_a_number_) throw 42;
        if (!script_->error_.empty()) throw std::runtime_error{script_->error_};
        if (script_->busy_.count() > 0) throw sink_busy{"too many requests", script_->busy_};
        if (script_->rejects_everything_) throw events_refused{"no"};
        for (const auto& event : events)
            if (script_->failing_ids_.contains(std::string{event.id}))
                throw std::runtime_error{script_->id_error_};
        auto confirmed = std::min(events.size(), script_->most_);
        const auto culprit = std::ranges::find_if(events, [this](const event_view& event) {
            return script_->refused_.contains(std::string{event.id});
        });
        std::string refusal;
        if (culprit != events.end()) {
            if (!script_->names_refused_) throw events_refused{"one of them is bad"};
            confirmed = static_cast<std::size_t>(culprit - events.begin());
            refusal = "this one is bad";
        }
        for (const auto& event : events.first(confirmed))
            script_->ids_.emplace_back(event.id);
        return {confirmed + script_->too_many_, 0, refusal};
    }

    [[nodiscard]] std::optional<std::string> order_key(const event_view& event) const override {
        const std::lock_guard lock{script_->mutex_};
        if (script_->order_divisor_ == 0) return std::nullopt;
        return std::to_string(std::stoi(std::string{event.id}) % script_->order_divisor_);
    }

    [[nodiscard]] std::string bookmark() const override {
        const std::lock_guard lock{script_->mutex_};
        return script_->counts_in_bookmarks_ ? std::to_string(script_->ids_.size()) : script_->bookmark_;
    }

    void resume(std::string_view bookmark) override {
        const std::lock_guard lock{script_->mutex_};
        script_->resumed_at_ = bookmark;
    }

    [[nodiscard]] bool has_upkeep() const noexcept override { return true; }

    bool upkeep(std::stop_token stop) override {
        std::unique_lock lock{script_->mutex_};
        script_->upkeeps_.push_back(script_->attempts_);
        script_->changed_.wait(lock, stop, [this] { return !script_->upkeep_held_; });
        if (!script_->upkeep_error_.empty()) throw std::runtime_error{script_->upkeep_error_};
        return script_->upkeeps_.size() < script_->upkeeps_needed_;
    }

    void close() override {
        const std::lock_guard lock{script_->mutex_};
        script_->closed_ = true;
    }

private:
    std::shared_ptr<fake_sink_script> script_;
};

} // namespace trackd::test
