// See exchange.hpp.
#include "http/exchange.hpp"

#include <algorithm>
#include <utility>

namespace trackd::http {

namespace {

constexpr std::size_t max_kept_text = 256U * 1024U;

void clear(std::string& text) {
    text.clear();
    if (text.capacity() > max_kept_text) text.shrink_to_fit();
}

} // namespace

std::unique_ptr<exchange> exchange_pool::take() {
    if (free_.empty()) {
        free_.reserve(++made_); // so that giving back never allocates
        return std::make_unique<exchange>(limits_, heads_);
    }
    auto taken = std::move(free_.back());
    free_.pop_back();
    least_free_ = std::min(least_free_, free_.size());
    return taken;
}

void exchange_pool::use(const options& limits) {
    limits_ = std::make_shared<const options>(limits);
    made_ -= free_.size();
    free_.clear();
    least_free_ = 0;
}

void exchange_pool::give_back(std::unique_ptr<exchange> used) noexcept {
    if (used->limits != limits_) { // they have changed meanwhile
        --made_;
        return;
    }
    used->in.reset();
    used->res.clear();
    used->res.say_errors_in(nullptr, used->in.current()); // the next request has a route of its own
    used->res.route = 0;
    clear(used->res.body);
    clear(used->out);
    used->sent = 0;
    used->work.reset();
    used->source.reset();
    free_.push_back(std::move(used));
}

std::unique_ptr<held_answer> exchange_pool::take_answer() {
    if (free_answers_.empty()) return std::make_unique<held_answer>();
    auto taken = std::move(free_answers_.back());
    free_answers_.pop_back();
    return taken;
}

void exchange_pool::give_back(std::unique_ptr<held_answer> used) noexcept {
    constexpr std::size_t most_kept = 4096; // many may be kept for long
    if (free_answers_.size() == most_free_answers) return;
    used->bytes.clear();
    used->caller.reset();
    if (used->bytes.capacity() > most_kept) std::string{}.swap(used->bytes);
    free_answers_.push_back(std::move(used));
}

void exchange_pool::trim() noexcept {
    if (least_free_ > 1) {
        const auto unneeded = static_cast<std::ptrdiff_t>(least_free_ - 1); // the coldest, all but one
        free_.erase(free_.begin(), free_.begin() + unneeded);
        made_ -= least_free_ - 1;
    }
    least_free_ = free_.size();
}

} // namespace trackd::http
