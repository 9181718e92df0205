// Events that travel together: encoded once, by the intake, into contiguous bytes that nobody re-encodes
// after.
#pragma once

#include <trackd/event.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <memory>
#include <string_view>

namespace trackd {

/// A growing sequence of encoded events.
///
/// A value type: movable, copyable, owned by one thread at a time. Views that iteration gives point into the
/// batch and live until it is changed or destroyed.
///
/// The encoding of one event is a fixed head (total size, lengths, kind, times; see batch.cpp) followed by
/// the attributes' bytes, in the machine's byte order: it is for memory, and for a journal that says which
/// order it keeps.
class batch {
public:
    class iterator;

    /// A place in the batch to go back to.
    struct mark {
        std::size_t bytes = 0;
        std::size_t events = 0;
    };

    /// Encodes one event at the end.
    /// @throws std::length_error if an attribute is longer than `max_attribute_bytes`, or `extensions` or
    ///         `data` than 4 GiB; nothing is appended then.
    void append(const event_view& event);

    /// Takes over all events of `other`, which is empty afterwards.
    void append(batch&& other);

    /// Makes room for so many bytes, so that appending them moves nothing.
    void reserve(std::size_t bytes) { bytes_.reserve(bytes); }

    /// Drops everything that was appended after the mark was taken.
    void truncate(mark to);

    void clear() { truncate({}); }

    [[nodiscard]] mark end_mark() const noexcept { return {bytes_.size(), events_}; }

    [[nodiscard]] bool empty() const noexcept { return events_ == 0; }

    [[nodiscard]] std::size_t events() const noexcept { return events_; }

    [[nodiscard]] std::size_t bytes() const noexcept { return bytes_.size(); }

    [[nodiscard]] std::string_view encoded() const noexcept { return {bytes_.data(), bytes_.size()}; }

    [[nodiscard]] iterator begin() const noexcept;
    [[nodiscard]] iterator end() const noexcept;

private:
    // As a vector, but does not set to zero what is written anyhow.
    class storage {
    public:
        storage() = default;
        ~storage() = default;
        storage(const storage& other);
        storage(storage&& other) noexcept;
        storage& operator=(storage other) noexcept;

        [[nodiscard]] char* data() const noexcept { return bytes_.get(); }

        [[nodiscard]] std::size_t size() const noexcept { return size_; }

        void reserve(std::size_t capacity);
        char* extend(std::size_t bytes); // where they begin

        void truncate(std::size_t size) noexcept { size_ = size; }

    private:
        std::unique_ptr<char[]> bytes_;
        std::size_t size_ = 0;
        std::size_t capacity_ = 0;
    };

    storage bytes_;
    std::size_t events_ = 0;
};

/// Walks the events of a batch in order, decoding each on access.
class batch::iterator {
public:
    using iterator_category = std::input_iterator_tag;
    using value_type = event_view;
    using difference_type = std::ptrdiff_t;
    using pointer = void;
    using reference = event_view;

    iterator() = default;

    explicit iterator(const char* at) noexcept : at_{at} {}

    [[nodiscard]] event_view operator*() const noexcept;

    iterator& operator++() noexcept {
        at_ += encoded_bytes();
        return *this;
    }

    iterator operator++(int) noexcept {
        auto before = *this;
        ++*this;
        return before;
    }

    /// How many bytes the event's encoding takes.
    [[nodiscard]] std::size_t encoded_bytes() const noexcept {
        std::uint32_t size = 0; // which stands first
        std::memcpy(&size, at_, sizeof size);
        return size;
    }

    /// The event as it is encoded.
    [[nodiscard]] std::string_view encoded() const noexcept { return {at_, encoded_bytes()}; }

    bool operator==(const iterator&) const = default;

private:
    const char* at_ = nullptr;
};

/// Whether these bytes, which come from elsewhere than a batch, are the encoding of exactly one event. Then
/// `*batch::iterator{encoded.data()}` reads it, and nothing beyond it.
[[nodiscard]] bool is_one_event(std::string_view encoded) noexcept;

} // namespace trackd
