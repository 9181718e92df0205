// Reads a body as the endpoint would, and keeps what came of it.
#pragma once

#include "intake/event_reader.hpp"
#include "support/catch.hpp"

#include <chrono>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace reading {

using trackd::data_kind;
using trackd::intake::refusal_kind;

inline const trackd::wall_time arrival{std::chrono::microseconds{1'781'000'000'000'000}
}; // 2026-06-09T10:13:20Z

/// A body on the heap of exactly its size and the padding that is promised: so that a sanitizer sees who
/// reads too far.
class body {
public:
    explicit body(std::string_view text, char padding = '"')
        : bytes_{std::make_unique<char[]>(text.size() + 64)}, size_{text.size()} {
        std::memcpy(bytes_.get(), text.data(), text.size());
        std::memset(bytes_.get() + text.size(), padding, 64);
    }

    [[nodiscard]] std::string_view text() const { return {bytes_.get(), size_}; }

private:
    std::unique_ptr<char[]> bytes_;
    std::size_t size_;
};

/// An event that outlives its batch.
struct event {
    explicit event(const trackd::event_view& view)
        : id{view.id}, source{view.source}, type{view.type}, subject{view.subject},
          datacontenttype{view.datacontenttype}, extensions{view.extensions}, data{view.data},
          kind{view.kind}, time{view.time}, received_at{view.received_at} {}

    std::string id, source, type, subject, datacontenttype, extensions, data;
    data_kind kind;
    trackd::wall_time time, received_at;
};

struct outcome {
    std::optional<trackd::intake::refusal> refused;
    std::vector<event> events;
};

struct request {
    std::string content_type = "application/json";
    std::string path_type = {};
    std::string idempotency_key = {};
};

inline outcome read(
    trackd::intake::event_reader& reader, std::string_view text, const request& about = {}, char padding = '"'
) {
    const body sent{text, padding};
    trackd::batch batch;
    outcome result;
    result.refused = reader.read(
        {arrival, about.content_type, about.path_type, about.idempotency_key}, sent.text(), batch
    );
    for (const auto& view : batch)
        result.events.emplace_back(view);
    return result;
}

inline outcome read(std::string_view text, const request& about = {}) {
    trackd::intake::event_reader reader{{.default_source = "the-default"}};
    return read(reader, text, about);
}

/// The one event of a body that must be good.
inline event read_one(std::string_view text, const request& about = {}) {
    auto result = read(text, about);
    INFO(text);
    INFO((result.refused ? result.refused->detail : std::string{"no refusal"}));
    REQUIRE(result.events.size() == 1);
    return result.events.front();
}

/// Why a body is refused that must be.
inline trackd::intake::refusal refused(std::string_view text, const request& about = {}) {
    auto result = read(text, about);
    INFO(text);
    REQUIRE(result.refused);
    REQUIRE(result.events.empty());
    return *result.refused;
}

inline bool says(const trackd::intake::refusal& refused, std::string_view words) {
    return refused.detail.find(words) != std::string::npos;
}

} // namespace reading
