#include "tracker/io_lane.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <ranges>
#include <utility>

namespace trackd {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

// The counter has one writer: no need for an atomic read-modify-write.
void add(std::atomic<std::uint64_t>& counter, std::uint64_t n, std::memory_order order) noexcept {
    counter.store(counter.load(std::memory_order_relaxed) + n, order);
}

// So much is handed over without waiting for the end of the turn: a commit never splits what comes as one.
constexpr std::size_t hand_over_bytes = std::size_t{1} << 20U;

} // namespace

io_lane::io_lane(
    asio::io_context& context, budget& credit, bool waits_for_ack, const retry_advice& advice,
    std::function<void(submission)> submit, std::function<void()> no_room, const onlooker* looks_on
)
    : executor_{context.get_executor()}, credit_{credit}, waits_for_ack_{waits_for_ack}, advice_{advice},
      submit_{std::move(submit)}, no_room_{std::move(no_room)},
      most_staged_bytes_{std::min(hand_over_bytes, credit.max_take_bytes() / 2)}, looks_on_{looks_on} {}

std::chrono::seconds io_lane::retry_after() const noexcept {
    return advice_.wait(std::uniform_real_distribution{}(random_));
}

error_code io_lane::admit(batch::mark since, std::string_view sender) {
    const auto events = staged_.events() - since.events;
    if (events == 0) return {};
    if (const auto refused = credit_.take(events, staged_.bytes() - since.bytes)) {
        staged_.truncate(since);
        add(refused_, events, std::memory_order_relaxed);
        if (no_room_ && refused == errc::backlog_full) no_room_();
        return refused;
    }
    add(accepted_, events, std::memory_order_release);
    if (!flush_posted_) {
        asio::post(executor_, [this] { flush(); });
        flush_posted_ = true;
        if (waits_for_ack_) current_ = std::make_shared<flight>();
        is_watched_ = looks_on_ != nullptr && looks_on_->looks();
    }
    if (is_watched_) note_sender(events, sender);
    if (staged_.bytes() >= most_staged_bytes_) flush();
    return {};
}

void io_lane::note_sender(std::size_t events, std::string_view sender) {
    if (senders_.empty() || senders_.back().sender != sender) senders_.push_back({0, std::string{sender}});
    senders_.back().events += events;
}

void io_lane::flush() {
    flush_posted_ = false;
    if (staged_.empty()) return;
    submission handed_over{take_staged(), {}};
    handed_over.shown = is_watched_;
    if (is_watched_) handed_over.senders = std::exchange(senders_, {});
    if (waits_for_ack_)
        handed_over.settled = [this, which = current_](error_code outcome) { land(which, outcome); };
    submit_(std::move(handed_over));
}

// The next turn will bring about as much as this one, or the one before. But what is handed over must not have much more
// room than it takes, because only what it takes is counted.
batch io_lane::take_staged() {
    const auto bytes = staged_.bytes();
    if (2 * bytes <= room_) {
        auto copy = staged_;
        staged_.clear();
        return copy;
    }
    auto taken = std::exchange(staged_, {});
    room_ = std::min(bytes, hand_over_bytes);
    staged_.reserve(room_);
    return taken;
}

// On the tracker's strand. However many hand-overs one commit settles, the lane's thread is woken once.
void io_lane::land(std::shared_ptr<flight> which, error_code outcome) {
    const std::lock_guard lock{mutex_};
    landed_.emplace_back(std::move(which), outcome);
    if (landed_.size() == 1) asio::post(executor_, [this] { settle_landed(); });
}

void io_lane::settle_landed() {
    std::vector<landing> landed;
    {
        const std::lock_guard lock{mutex_};
        landed.swap(landed_);
    }
    for (auto& [which, outcome] : landed) {
        which->landed = true;
        which->outcome = outcome;
        // The latest first: what its answer needs is still in the processor's cache.
        auto waiting = std::exchange(which->waiting, {});
        for (auto& handler : waiting | std::views::reverse)
            std::move(handler)(outcome);
    }
}

void io_lane::when_acknowledged(ack_handler handler) {
    if (current_ && !current_->landed) return current_->waiting.push_back(std::move(handler));
    const auto outcome = current_ ? current_->outcome : error_code{};
    asio::post(executor_, [handler = std::move(handler), outcome]() mutable { std::move(handler)(outcome); });
}

} // namespace trackd
