// Fuzzes what reads a segment: decode_header and segment_walk, over bytes as they come, and over segments that were
// built soundly and then damaged, because random bytes never hold a checksum.
#include "backlog/segment_walk.hpp"
#include "support/events.hpp"
#include "support/memory_file.hpp"
#include "support/segment_bytes.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace {

using namespace trackd;
using namespace trackd::journal;

void require(bool holds, const char* what) {
    if (holds) return;
    std::fprintf(stderr, "segment_fuzz: does not hold: %s\n", what);
    std::abort();
}

// The input as numbers; zeros behind its end.
class numbers {
public:
    explicit numbers(std::string_view input) : input_{input} {}

    [[nodiscard]] bool empty() const { return input_.empty(); }

    std::uint8_t byte() {
        if (input_.empty()) return 0;
        const auto byte = static_cast<std::uint8_t>(input_.front());
        input_.remove_prefix(1);
        return byte;
    }

    std::uint64_t number(int bytes) {
        std::uint64_t number = 0;
        for (; bytes > 0; --bytes)
            number = number << 8U | byte();
        return number;
    }

    std::uint64_t below(std::uint64_t limit) { return limit == 0 ? 0 : number(3) % limit; }

    std::string_view rest() const { return input_; }

private:
    std::string_view input_;
};

using step_key = std::pair<position, bool>;

step_key key_of(const record_head& head) {
    return {head.position, head.kind == record_kind::event};
}

// A file to walk, and what may be found in it.
struct scene {
    test::memory_file file;
    segment_header header;
    std::map<step_key, std::string> written; // bodies
    bool only_written = true; // no record was forged with the segment's own salt: nothing else may be found
};

void add_random_records(numbers& from, test::segment_bytes& to) {
    for (auto left = from.byte() % 32; left > 0; --left) {
        const auto what = from.byte();
        if (what % 8 == 0) to.end_commit();
        if (what % 16 == 1) {
            to.add_mark();
        } else {
            auto event = test::make_event(what % 3 == 0 ? "" : "an id");
            const auto bytes = what >= 240 ? from.below(9000) : what;
            const std::string data(bytes, static_cast<char>(what));
            event.data = data;
            event.kind = static_cast<data_kind>(what % 4);
            to.add_event(event);
        }
    }
}

// A record whose checksums hold, whatever it says, at any place.
void forge_record(numbers& from, scene& in) {
    auto& bytes = in.file.bytes;
    if (bytes.size() < record_head::encoded_bytes) return;
    const auto at =
        from.below(bytes.size() - record_head::encoded_bytes + 1) / record_alignment * record_alignment;
    record_head head;
    const auto what = from.byte();
    head.begins_commit = (what & 1U) != 0;
    head.kind = (what & 2U) != 0 ? record_kind::mark : record_kind::event;
    head.position = (what & 4U) != 0 ? from.number(8) : in.header.first + from.below(64);
    head.body_bytes = static_cast<std::uint32_t>((what & 8U) != 0 ? from.number(4) : from.below(300));
    const auto body =
        std::string_view{bytes}.substr(at + record_head::encoded_bytes).substr(0, head.body_bytes);
    head.body_checksum = base::crc32c(body); // of what happens to stand there
    encode(
        head, in.header.salt,
        std::span<char, record_head::encoded_bytes>{bytes.data() + at, record_head::encoded_bytes}
    );
    in.only_written = false;
}

void put_zeros_or_ones(numbers& from, std::string& bytes) {
    const auto at = from.below(bytes.size());
    const auto length = std::min<std::uint64_t>(from.below(5000), bytes.size() - at);
    const auto filling = from.byte() % 2 == 0 ? '\0' : '\xFF';
    std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(at), length, filling);
}

void copy_within(numbers& from, std::string& bytes) {
    const auto unit = from.byte() % 2 == 0 ? std::uint64_t{512} : record_alignment;
    const auto source = from.below(bytes.size()) / unit * unit;
    const auto to = from.below(bytes.size()) / unit * unit;
    const auto piece = bytes.substr(source, from.below(5000) / unit * unit);
    bytes.replace(to, std::min(piece.size(), bytes.size() - to), piece.substr(0, bytes.size() - to));
}

void damage(numbers& from, scene& in) {
    auto& bytes = in.file.bytes;
    while (!from.empty() && !bytes.empty()) {
        const auto what = from.byte() % 6;
        if (what == 0) bytes[from.below(bytes.size())] ^= static_cast<char>(1U << from.byte() % 8U);
        if (what == 1) bytes[from.below(bytes.size())] = static_cast<char>(from.byte());
        if (what == 2) put_zeros_or_ones(from, bytes);
        if (what == 3) copy_within(from, bytes);
        if (what == 4) bytes.resize(from.below(bytes.size() + 1));
        if (what == 5) forge_record(from, in);
    }
}

scene build(numbers& from) {
    scene in;
    in.header.first = (from.byte() % 4 == 0 ? from.number(8) >> 1U : 0) + 100;
    in.header.salt = static_cast<std::uint32_t>(from.number(2));
    in.header.reused = from.byte() % 2 == 0;
    test::segment_bytes segment{in.header};
    add_random_records(from, segment);
    for (const auto& record : segment.records())
        in.written[key_of(record.head)] = record.body;
    in.file.bytes = segment.file(from.byte() % 4);
    if (in.header.reused) { // an earlier life, of lower positions
        auto earlier = in.header;
        earlier.first = 1;
        earlier.salt += 1;
        test::segment_bytes old{earlier};
        add_random_records(from, old);
        const auto bytes = old.file();
        const auto now = segment.file().size();
        if (bytes.size() > now) in.file.bytes.replace(now, std::string::npos, bytes.substr(now));
    }
    damage(from, in);
    return in;
}

// The input is the file. What the header says is believed only if it is one.
scene as_it_comes(numbers& from) {
    scene in;
    in.file.bytes = from.rest();
    in.only_written = false;
    if (const auto decoded = decode_header(in.file.bytes); decoded.state == header_state::sound)
        in.header = decoded.header;
    return in;
}

bool same(const walk_step& a, const walk_step& b) {
    if (a.index() != b.index()) return false;
    if (const auto* bad = std::get_if<bad_range>(&a)) return *bad == std::get<bad_range>(b);
    if (const auto* end = std::get_if<segment_end>(&a)) return *end == std::get<segment_end>(b);
    const auto& one = std::get<found_record>(a);
    const auto& other = std::get<found_record>(b);
    return one.head == other.head && one.body == other.body && one.offset == other.offset &&
           one.head_checksum == other.head_checksum;
}

// Holds the steps of one walk against what every walk promises.
class observer {
public:
    explicit observer(const scene& of, std::uint64_t end) : of_{of}, end_{end} {}

    // Whether the walk has ended.
    bool see(const walk_step& step, segment_walk::place now) {
        require(++steps_ <= 2 + of_.file.bytes.size() / 12, "a walk ends");
        if (const auto* record = std::get_if<found_record>(&step))
            see(*record, now);
        else if (const auto* bad = std::get_if<bad_range>(&step))
            see(*bad, now);
        else
            return see(std::get<segment_end>(step), now);
        return false;
    }

private:
    void see(const found_record& record, segment_walk::place now) {
        require(record.offset >= offset_, "offsets rise");
        require(record.offset % record_alignment == 0, "records are aligned");
        require(!after_bad_ || record.offset == offset_, "a record follows right behind a bad range");
        offset_ = record.offset + record.head.record_bytes();
        require(offset_ <= end_ && offset_ <= of_.file.bytes.size(), "records lie before the end");
        require(record.head.position >= next_, "positions rise");
        require(record.body.size() == record.head.body_bytes, "the body is whole");
        require(
            std::string_view{of_.file.bytes}.substr(
                record.offset + record_head::encoded_bytes, record.body.size()
            ) == record.body,
            "the body is the file's"
        );
        if (record.head.kind == record_kind::event) {
            require(is_one_event(record.body), "a body is one event");
            const auto event = *batch::iterator{record.body.data()};
            require(
                event.data.data() + event.data.size() == record.body.data() + record.body.size(),
                "it is all of it"
            );
            next_ = record.head.position + 1;
        } else {
            require(record.body.empty(), "a mark has no body");
            next_ = record.head.position;
        }
        if (of_.only_written) {
            const auto written = of_.written.find(key_of(record.head));
            require(
                written != of_.written.end() && written->second == record.body,
                "only what was written is found"
            );
        }
        require(now.offset == offset_ && now.next == next_, "the walk is behind the record");
        after_bad_ = false;
    }

    void see(const bad_range& bad, segment_walk::place now) {
        require(!after_bad_, "a bad range is one piece");
        require(bad.bytes > 0 && bad.offset >= offset_, "a bad range is not empty");
        offset_ = bad.offset + bad.bytes;
        require(now.offset == offset_ && now.next == next_, "the walk is behind the bad range");
        after_bad_ = true;
    }

    bool see(const segment_end& end, segment_walk::place now) {
        require(!after_bad_, "a bad range is followed by a record");
        require(now.offset == end.offset && now.next == next_, "the walk stays at the end");
        require(end.offset == offset_, "the end is where the last record ends");
        const auto file_end = std::min<std::uint64_t>(end_, of_.file.bytes.size());
        require(
            end.torn_bytes == 0 || end.offset + end.torn_bytes <= file_end, "what is torn lies in the file"
        );
        return true;
    }

    const scene& of_;
    std::uint64_t end_;
    std::size_t steps_ = 0;
    std::uint64_t offset_ = segment_header::encoded_bytes;
    position next_ = of_.header.first;
    bool after_bad_ = false;
};

// Two walks in step, with different windows: they must tell the same. At one step a third begins there, and must tell it,
// too.
void walk(scene& in, std::uint64_t end, std::size_t window, std::size_t resumed_step) {
    const segment_walk::place start{segment_header::encoded_bytes, in.header.first};
    segment_walk one{in.file, in.header, start, end, window};
    segment_walk other{in.file, in.header, start, end};
    observer check{in, end};
    for (std::size_t i = 0;; ++i) {
        const auto before = one.at();
        const auto step = one.next();
        require(same(step, other.next()), "the window's size changes nothing");
        if (i == resumed_step) {
            segment_walk resumed{in.file, in.header, before, end};
            require(same(step, resumed.next()), "a walk can be gone on with");
        }
        if (i % 3 == 0) static_cast<void>(one.window());
        if (check.see(step, one.at())) break;
    }
    require(std::holds_alternative<segment_end>(one.next()), "the end stays the end");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    numbers from{{reinterpret_cast<const char*>(data), size}}; // NOLINT: libFuzzer's bytes as ours
    const auto mode = from.byte();
    const auto window = from.number(2);
    const auto resumed_step = from.byte();
    const auto cut = (mode & 2U) != 0 ? from.number(2) : 0;
    const auto most_at_once = (mode & 4U) != 0 ? std::size_t{from.byte()} * 16 + 1 : std::size_t{1} << 20U;
    auto in = mode % 8 == 7 ? as_it_comes(from) : build(from);
    in.file.most_at_once = most_at_once;
    const auto bytes = in.file.bytes.size();
    const auto end = (mode & 2U) != 0 ? cut : bytes;
    walk(in, end, window, resumed_step);
    static_cast<void>(decode_header(in.file.bytes));
    return 0;
}
