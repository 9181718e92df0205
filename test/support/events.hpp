// Events and batches for tests that do not care what is in them.
#pragma once

#include <trackd/batch.hpp>

#include <string>

namespace trackd::test {

inline event_view make_event(std::string_view id) {
    event_view event;
    event.id = id;
    event.source = "test";
    event.type = "event";
    event.data = R"({"n":1})";
    event.kind = data_kind::json;
    return event;
}

/// `count` events, whose ids are the numbers from `first` on.
inline batch make_batch(std::size_t count, std::size_t first = 1) {
    batch events;
    for (std::size_t i = 0; i < count; ++i)
        events.append(make_event(std::to_string(first + i)));
    return events;
}

} // namespace trackd::test
