#include "backlog/journal_reader.hpp"

#include "backlog/chunk_filling.hpp"
#include "backlog/set_aside.hpp"
#include "base/log.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <utility>

namespace trackd::journal {

namespace {

// Few events fill it, so that little of it is read in vain where a read ends; and the processor's cache holds it.
constexpr std::size_t window_bytes = std::size_t{256} << 10U;

// As many as there may be sinks that read at different places; more only means searching now and then.
constexpr std::size_t most_bookmarks = 16;

} // namespace

journal_reader::journal_reader(
    file_system& files, segment_store& store, std::atomic<std::uint64_t>& damaged_bytes
)
    : files_{files}, store_{store}, damaged_bytes_{damaged_bytes} {}

chunk journal_reader::read(position from, position below, read_limits limits) {
    chunk result;
    result.first = from;
    if (from >= below) return result;
    const auto in = store_.find(from);
    if (!in) { // older than the oldest segment
        result.damaged = std::min(store_.begin().value_or(below), below) - from;
        return result;
    }
    const auto end = std::min(in->end.value_or(below), below); // of what this segment has, or should have
    auto mark = open_at(from, *in);
    segment_walk walk{*mark.open, in->segment.header, mark.place, in->segment.bytes, window_bytes};
    reserve_events(result, end, limits);
    std::size_t bytes = 0;
    while (result.end() < end && !is_full(result, bytes, limits)) {
        const auto before = walk.at();
        const auto step = walk.next();
        const auto* record = std::get_if<found_record>(&step);
        if (record != nullptr && record->head.position < result.end()) continue;
        if (record != nullptr && record->head.kind == record_kind::event &&
            record->head.position == result.end()) {
            result.events.push_back(*batch::iterator{record->body.data()});
            bytes += record->body.size();
            if (result.owners.empty() || result.owners.back().get() != walk.window_address())
                result.owners.push_back(walk.window());
            mark.place = walk.at();
        } else if (const auto* bad = std::get_if<bad_range>(&step)) {
            found_damage(in->segment, *mark.open, *bad);
        } else if (record == nullptr || record->head.position > result.end()) {
            // What should be here is not: first comes what was found before.
            mark.place = before;
            if (!result.events.empty()) break;
            const auto next = record == nullptr ? end : std::min(record->head.position, end);
            result.damaged = next - from;
            break;
        }
    }
    mark.place.next = result.end();
    keep(std::move(mark));
    return result;
}

journal_reader::bookmark journal_reader::open_at(position from, const segment_place& in) {
    const auto first = in.segment.header.first;
    const auto at = std::find_if(bookmarks_.begin(), bookmarks_.end(), [&](const bookmark& mark) {
        return mark.segment == first && mark.place.next == from;
    });
    if (at == bookmarks_.end())
        return {first, files_.open(in.segment.path, open_mode::read), {segment_header::encoded_bytes, first}};
    auto found = std::move(*at);
    bookmarks_.erase(at);
    return found;
}

void journal_reader::keep(bookmark mark) {
    if (bookmarks_.size() == most_bookmarks) bookmarks_.erase(bookmarks_.begin());
    bookmarks_.push_back(std::move(mark));
}

void journal_reader::forget_below(position oldest) {
    std::erase_if(bookmarks_, [oldest](const bookmark& old) { return old.segment < oldest; });
    std::erase_if(known_damage_, [oldest](const auto& known) { return known.first < oldest; });
}

void journal_reader::found_damage(const segment_file& in, file& open, const bad_range& range) {
    if (range.bytes == 0 || !known_damage_.emplace(in.header.first, range.offset).second) return;
    const auto to = fmt::format("{}.{}.damaged", in.path.string(), range.offset);
    base::log().error(
        "journal: {}: {} bytes from offset {} on cannot be read, and are set aside as {}", in.path.string(),
        range.bytes, range.offset, to
    );
    set_aside(files_, open, range.offset, range.bytes, to);
    damaged_bytes_ += range.bytes;
}

} // namespace trackd::journal
