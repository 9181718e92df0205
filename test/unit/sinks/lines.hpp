// Reads JSON Lines back, with Boost.JSON, and holds them against the events they were made of.
#pragma once

#include "helpers.hpp"

#include <boost/json.hpp>

namespace trackd::test {

/// The lines of a text that must end with a line's end.
inline std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream in{text};
    for (std::string line; std::getline(in, line);)
        lines.push_back(line);
    if (!text.empty() && text.back() != '\n') throw std::runtime_error{"the last line has no end"};
    return lines;
}

inline std::vector<boost::json::object> objects_in(const std::filesystem::path& file) {
    std::vector<boost::json::object> objects;
    for (const auto& line : lines_of(read_file(file)))
        objects.push_back(boost::json::parse(line).as_object());
    return objects;
}

inline std::vector<std::string> ids_in(const std::filesystem::path& file) {
    std::vector<std::string> ids;
    for (const auto& object : objects_in(file)) {
        const auto& id = object.at("id").as_string();
        ids.emplace_back(id.data(), id.size());
    }
    return ids;
}

inline void
check_member(const boost::json::object& object, std::string_view name, std::string_view expected) {
    INFO(name);
    const auto* value = object.if_contains(name);
    if (expected.empty()) {
        CHECK(value == nullptr);
    } else {
        REQUIRE(value != nullptr);
        CHECK((value->as_string() == expected));
    }
}

inline void check_same(const boost::json::object& object, const event_view& event) {
    INFO("the event with the id " << event.id);
    check_member(object, "specversion", "1.0");
    check_member(object, "id", event.id);
    check_member(object, "source", event.source);
    check_member(object, "type", event.type);
    check_member(object, "time", noon_text);
    check_member(object, "receivedat", one_text);
    check_member(object, "subject", event.subject);
    check_member(object, "datacontenttype", event.datacontenttype);
    if (!event.extensions.empty()) {
        const auto extensions = boost::json::parse(event.extensions);
        for (const auto& [name, value] : extensions.as_object())
            CHECK((object.at(name) == value));
    }
    CHECK(object.contains("data") == (event.kind == data_kind::json || event.kind == data_kind::text));
    CHECK(object.contains("data_base64") == (event.kind == data_kind::binary));
    if (event.kind == data_kind::json) CHECK((object.at("data") == boost::json::parse(event.data)));
    if (event.kind == data_kind::text) CHECK((object.at("data").as_string() == event.data));
}

} // namespace trackd::test
