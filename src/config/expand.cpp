// Walking through a string, and through a tree of them.
#include "config/expand.hpp"

#include "config/files.hpp"

#include <simdjson.h>

#include <algorithm>
#include <cctype>
#include <stdexcept>

namespace trackd::config {
namespace {

constexpr std::size_t largest_file = 64 * 1024;
constexpr std::string_view file_prefix = "file:";
constexpr std::string_view default_mark = ":-";

const std::string* look_up(environment in, std::string_view name) {
    const auto found =
        std::find_if(in.begin(), in.end(), [&](const auto& pair) { return pair.first == name; });
    return found == in.end() ? nullptr : &found->second;
}

bool is_name(std::string_view text) {
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    const auto fits = [&](char c) {
        return c == '_' || is_digit(c) || std::isalpha(static_cast<unsigned char>(c));
    };
    return !text.empty() && !is_digit(text.front()) && std::all_of(text.begin(), text.end(), fits);
}

std::string file_content(const std::string& path) {
    std::string content;
    try {
        content = read_file(path, largest_file);
    } catch (const std::exception& failure) {
        throw std::runtime_error{"cannot read the file " + in_quotes(path) + ": " + failure.what()};
    }
    if (content.ends_with('\n')) content.pop_back();
    if (content.ends_with('\r')) content.pop_back();
    return content;
}

/// @param reference what stands between the braces
std::string resolved(std::string_view reference, environment from) {
    if (reference.starts_with(file_prefix)) {
        return file_content(std::string{reference.substr(file_prefix.size())});
    }
    const auto mark = reference.find(default_mark);
    const auto name = reference.substr(0, mark);
    if (!is_name(name) || reference.find("${") != std::string_view::npos) {
        throw std::runtime_error{
            "found ${" + std::string{reference} +
            "}, expected ${NAME}, ${NAME:-default} or ${file:/path}, not nested (a literal ${ is written $${)"
        };
    }
    const auto* set = look_up(from, name);
    if (mark != std::string_view::npos) {
        return set && !set->empty() ? *set : std::string{reference.substr(mark + default_mark.size())};
    }
    if (set) return *set;
    const std::string variable{name};
    throw std::runtime_error{
        "the environment variable " + variable + " is not set; set it, or give a default: ${" + variable +
        ":-…}"
    };
}

} // namespace

std::string expanded(std::string_view text, environment from) {
    std::string result;
    while (!text.empty()) {
        if (text.starts_with("$${")) {
            result += "${";
            text.remove_prefix(3);
        } else if (text.starts_with("${")) {
            const auto end = text.find('}');
            if (end == std::string_view::npos) {
                throw std::runtime_error{"${ without its }; a literal ${ is written $${"};
            }
            result += resolved(text.substr(2, end - 2), from);
            text.remove_prefix(end + 1);
        } else {
            result += text.front();
            text.remove_prefix(1);
        }
    }
    return result;
}

void expand(value& root, environment from, problems& found) {
    if (auto* members = std::get_if<table>(&root.content)) {
        for (auto& member : *members)
            expand(member.content, from, found);
    } else if (auto* elements = std::get_if<list>(&root.content)) {
        for (auto& element : *elements)
            expand(element, from, found);
    } else if (auto* text = std::get_if<std::string>(&root.content)) {
        try {
            *text = expanded(*text, from);
            if (!simdjson::validate_utf8(*text)) throw std::runtime_error{"found bytes that are no UTF-8"};
        } catch (const std::runtime_error& failure) {
            found.add(root.where, failure.what());
            root.content = reported{};
        }
    }
}

} // namespace trackd::config
