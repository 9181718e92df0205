#include "intake/key_memo.hpp"

#include "base/sha256.hpp"

namespace trackd::intake {

namespace {

// What is longer is no key of ours, and need not be fast.
constexpr std::size_t longest_text = 256;

} // namespace

found_key key_memo::find(const key_ring& ring, std::string_view text) {
    const entry* known = nullptr;
    for (const auto& one : entries_) // all of them, wherever it is
        if (one.found && base::same_in_constant_time(one.text, text)) known = &one;
    if (known != nullptr) return known->found;
    auto found = ring.find(text);
    if (found && text.size() <= longest_text) {
        entries_[oldest_] = {std::string{text}, found};
        oldest_ = (oldest_ + 1) % entries_.size();
    }
    return found;
}

void key_memo::clear() {
    entries_ = {};
}

} // namespace trackd::intake
