#include <trackd/batch.hpp>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <limits>
#include <stdexcept>
#include <string>
#include <utility>

namespace trackd {

namespace {

// What stands before the bytes of each event. Copied in and out, never aliased: events are not aligned.
struct event_head {
    std::uint32_t size; // of the whole event, this head included
    std::uint16_t id, source, type, subject, datacontenttype;
    data_kind kind;
    std::uint8_t unused;
    std::uint32_t extensions, data;
    std::int64_t time, received_at; // microseconds since 1970
};

static_assert(sizeof(event_head) == 40);
static_assert(offsetof(event_head, size) == 0); // where `iterator` looks for it

event_head read_head(const char* at) noexcept {
    event_head head;
    std::memcpy(&head, at, sizeof head);
    return head;
}

void check_attribute(std::string_view name, std::string_view value) {
    if (value.size() > max_attribute_bytes)
        throw std::length_error{
            std::string{name} + " is " + std::to_string(value.size()) + " bytes long; at most " +
            std::to_string(max_attribute_bytes) + " were expected"
        };
}

void check_attributes(const event_view& event) {
    const auto longest = std::max(
        {event.id.size(), event.source.size(), event.type.size(), event.subject.size(),
         event.datacontenttype.size()}
    );
    if (longest <= max_attribute_bytes) return;
    check_attribute("id", event.id);
    check_attribute("source", event.source);
    check_attribute("type", event.type);
    check_attribute("subject", event.subject);
    check_attribute("datacontenttype", event.datacontenttype);
}

std::uint16_t size_of(std::string_view attribute) noexcept {
    return static_cast<std::uint16_t>(attribute.size());
}

char* put(char* to, std::string_view bytes) noexcept {
    if (!bytes.empty()) std::memcpy(to, bytes.data(), bytes.size());
    return to + bytes.size();
}

} // namespace

batch::storage::storage(const storage& other) {
    reserve(other.size_);
    put(extend(other.size_), {other.data(), other.size_});
}

batch::storage::storage(storage&& other) noexcept
    : bytes_{std::move(other.bytes_)}, size_{std::exchange(other.size_, 0)},
      capacity_{std::exchange(other.capacity_, 0)} {}

batch::storage& batch::storage::operator=(storage other) noexcept {
    std::swap(bytes_, other.bytes_);
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
    return *this;
}

void batch::storage::reserve(std::size_t capacity) {
    if (capacity <= capacity_) return;
    auto larger = std::make_unique_for_overwrite<char[]>(capacity);
    put(larger.get(), {data(), size_});
    bytes_ = std::move(larger);
    capacity_ = capacity;
}

char* batch::storage::extend(std::size_t bytes) {
    const auto start = size_;
    if (bytes > capacity_ - start) reserve(std::max(start + bytes, 2 * capacity_));
    size_ += bytes;
    return data() + start;
}

void batch::append(const event_view& event) {
    check_attributes(event);
    event_head head{};
    head.id = size_of(event.id);
    head.source = size_of(event.source);
    head.type = size_of(event.type);
    head.subject = size_of(event.subject);
    head.datacontenttype = size_of(event.datacontenttype);
    head.kind = event.kind;
    head.time = event.time.time_since_epoch().count();
    head.received_at = event.received_at.time_since_epoch().count();

    const auto size = sizeof head + event.id.size() + event.source.size() + event.type.size() +
                      event.subject.size() + event.datacontenttype.size() + event.extensions.size() +
                      event.data.size();
    if (size > std::numeric_limits<std::uint32_t>::max()) throw std::length_error{"an event is over 4 GiB"};
    head.size = static_cast<std::uint32_t>(size);
    head.extensions = static_cast<std::uint32_t>(event.extensions.size());
    head.data = static_cast<std::uint32_t>(event.data.size());

    auto* at = bytes_.extend(size);
    std::memcpy(at, &head, sizeof head);
    at = put(at + sizeof head, event.id);
    at = put(at, event.source);
    at = put(at, event.type);
    at = put(at, event.subject);
    at = put(at, event.datacontenttype);
    at = put(at, event.extensions);
    put(at, event.data);
    ++events_;
}

void batch::append(batch&& other) {
    if (empty()) {
        std::swap(bytes_, other.bytes_);
        std::swap(events_, other.events_);
    } else {
        put(bytes_.extend(other.bytes()), other.encoded());
        events_ += other.events_;
    }
    other.clear();
}

void batch::truncate(mark to) {
    bytes_.truncate(to.bytes);
    events_ = to.events;
}

batch::iterator batch::begin() const noexcept {
    return iterator{bytes_.data()};
}

batch::iterator batch::end() const noexcept {
    return iterator{bytes_.data() + bytes_.size()};
}

event_view batch::iterator::operator*() const noexcept {
    const auto head = read_head(at_);
    const auto* at = at_ + sizeof head;
    const auto take = [&at](std::size_t size) {
        const std::string_view bytes{at, size};
        at += size;
        return bytes;
    };
    event_view event;
    event.id = take(head.id);
    event.source = take(head.source);
    event.type = take(head.type);
    event.subject = take(head.subject);
    event.datacontenttype = take(head.datacontenttype);
    event.extensions = take(head.extensions);
    event.data = take(head.data);
    event.kind = head.kind;
    event.time = wall_time{std::chrono::microseconds{head.time}};
    event.received_at = wall_time{std::chrono::microseconds{head.received_at}};
    return event;
}

bool is_one_event(std::string_view encoded) noexcept {
    if (encoded.size() < sizeof(event_head)) return false;
    const auto head = read_head(encoded.data());
    for (const auto size : {head.id, head.source, head.type, head.subject, head.datacontenttype})
        if (size > max_attribute_bytes) return false;
    // In 64 bits, so that no lengths can add up to too little.
    const auto size = std::uint64_t{sizeof head} + head.id + head.source + head.type + head.subject +
                      head.datacontenttype + head.extensions + head.data;
    return head.kind <= data_kind::binary && head.size == size && encoded.size() == size;
}

} // namespace trackd
