#include "admin/tails.hpp"

#include <boost/asio/post.hpp>

#include <functional>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

namespace trackd::admin {

namespace {

// Of batches that nobody has looked at yet, and which are kept in memory for it.
constexpr std::size_t max_waiting_bytes = 4UL * 1024UL * 1024UL;

// For one turn: the batch that makes it so many is the last.
constexpr std::size_t enough_events = 2000;

constexpr std::chrono::seconds tick_every{1};

} // namespace

/// One tail's answer.
class tails::source final : public http::body_source {
public:
    source(tails& of, tail_options options, clock::time_point now)
        : of_{of}, tail_{std::move(options), now}, place_{of.open_.insert(of.open_.end(), this)} {}

    ~source() override { of_.close(*this); }

    void begin(std::function<void()> news) override { news_ = std::move(news); }

    bool pull(std::string& out) override {
        tail_.take(out);
        return !tail_.has_ended();
    }

    [[nodiscard]] tail& what() noexcept { return tail_; }

    void tell() {
        if (!news_ || told_end_ || !tail_.has_news()) return;
        told_end_ = tail_.has_ended();
        news_();
    }

    [[nodiscard]] std::list<source*>::iterator place() const noexcept { return place_; }

private:
    tails& of_;
    tail tail_;
    std::function<void()> news_;
    bool told_end_ = false; // after it there is no news, however long its connection stays
    std::list<source*>::iterator place_;
};

tails::tails(http::executor_type executor, clock& time)
    : executor_{executor}, clock_{time}, ticker_{executor} {}

tails::~tails() = default;

void tails::show(shown_batch shown) {
    const std::lock_guard lock{mutex_};
    if (waiting_bytes_ >= max_waiting_bytes) {
        skipped_ += shown.events->events();
        return;
    }
    waiting_bytes_ += shown.events->bytes();
    waiting_.push_back(std::move(shown));
    if (waiting_.size() == 1) boost::asio::post(executor_, [this] { look_at_what_waits(); });
}

// Not at all of it in one turn: the thread has others to answer, too.
void tails::look_at_what_waits() {
    if (look_at_some()) boost::asio::post(executor_, [this] { look_at_what_waits(); });
}

bool tails::look_at_some() {
    std::vector<shown_batch> arrived;
    std::uint64_t skipped = 0;
    bool more_waits = false;
    {
        const std::lock_guard lock{mutex_};
        for (std::size_t events = 0; events < enough_events && !waiting_.empty(); waiting_.pop_front()) {
            events += waiting_.front().events->events();
            waiting_bytes_ -= waiting_.front().events->bytes();
            arrived.push_back(std::move(waiting_.front()));
        }
        more_waits = !waiting_.empty();
        skipped = std::exchange(skipped_, 0);
    }
    const auto now = clock_.now();
    for (auto* one : open_) {
        for (const auto& shown : arrived)
            one->what().show(shown, now);
        one->what().skip(skipped);
        one->tell();
    }
    return more_waits;
}

std::unique_ptr<http::body_source> tails::open(tail_options options) {
    if (open_.size() == most) return {};
    const bool is_first = open_.empty();
    auto opened = std::make_unique<source>(*this, std::move(options), clock_.now());
    if (!end_reason_.empty()) {
        opened->what().end(end_reason_);
        return opened;
    }
    look(true);
    if (is_first) tick();
    return opened;
}

void tails::close(source& which) noexcept {
    open_.erase(which.place());
    if (!open_.empty()) return;
    look(false);
    ticker_.cancel();
}

// Not while nobody looks, and not after the end: a timer would keep the thread's loop running.
void tails::tick() {
    for (auto* one : open_) {
        one->what().tick(clock_.now());
        one->tell();
    }
    ticker_.expires_after(tick_every);
    ticker_.async_wait([this](boost::system::error_code cancelled) {
        if (!cancelled && !open_.empty() && end_reason_.empty()) tick();
    });
}

void tails::end_open(std::string_view reason) {
    while (look_at_some()) {
    } // what came before is shown before
    for (auto* one : open_) {
        one->what().end(reason);
        one->tell();
    }
}

void tails::end(std::string_view reason) {
    end_open(reason);
    end_reason_ = reason;
    look(false);
    ticker_.cancel();
}

void add_tail_route(http::router& routes, tails& of) {
    routes.add(
        http::verb::get, "/events/tail",
        [&of](const http::request& req, http::response& res) -> http::pending {
            std::optional<tail_options> options;
            try {
                options = parse_tail_query(req.query);
            } catch (const std::invalid_argument& wrong) {
                res.problem(http::status::bad_request, "invalid-query", wrong.what());
                return {};
            }
            auto opened = of.open(std::move(*options));
            if (!opened) {
                res.unavailable(
                    "too-many-tails",
                    "As many tails are open as may be: " + std::to_string(tails::most) + ".",
                    std::chrono::seconds{10}
                );
                return {};
            }
            res.content_type = "text/event-stream";
            res.add_header("Cache-Control", "no-store");
            return opened;
        }
    );
}

} // namespace trackd::admin
