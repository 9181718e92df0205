// The effective configuration as text, by the table of options.
#include "config/write.hpp"

#include "config/load.hpp"
#include "config/options.hpp"
#include "config/units.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <type_traits>

namespace trackd::config {
namespace {

constexpr std::string_view mask = "********";

std::string escaped(char c) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') return {'\\', c};
    if (byte >= 0x20 && byte != 0x7f) return {c};
    std::array<char, 8> text{};
    std::snprintf(text.data(), text.size(), "\\u%04x", byte);
    return text.data();
}

/// With what would be a reference escaped.
std::string string_literal(std::string_view text) {
    std::string result = "\"";
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text.substr(i).starts_with("${")) result += '$';
        result += escaped(text[i]);
    }
    return result + '"';
}

/// What nobody is to read over somebody's shoulder, by what such settings are called.
bool is_secret(std::string_view name) {
    constexpr std::array<std::string_view, 6> marks{"password", "passphrase", "secret",
                                                    "token",    "key.pem",    "ssl_key"};
    return name == "sasl.oauthbearer.config" ||
           std::ranges::any_of(marks, [&](auto mark) { return name.find(mark) != name.npos; });
}

struct writer {
    form written;

    std::string operator()(const bool* from) const { return *from ? "true" : "false"; }

    std::string operator()(const std::size_t* from) const {
        const auto text = written == form::bytes ? format_size(*from) : std::to_string(*from);
        return text == std::to_string(*from) ? text : string_literal(text);
    }

    std::string operator()(const std::chrono::milliseconds* from) const {
        return string_literal(format(*from));
    }

    std::string operator()(const std::string* from) const {
        return string_literal(written == form::secret && !from->empty() ? mask : *from);
    }

    std::string operator()(const strings* from) const {
        const auto element = [&](const std::string& one) {
            return string_literal(written == form::secret_list ? mask : one);
        };
        if (from->size() == 1) return element(from->front());
        std::string text;
        for (const auto& one : *from)
            text.append(text.empty() ? "" : ", ").append(element(one));
        return '[' + text + ']';
    }

    std::string operator()(const named_strings* from) const {
        std::string text;
        for (const auto& [name, content] : *from) {
            text.append(text.empty() ? " " : ", ").append(string_literal(name)).append(" = ");
            text.append(is_secret(name) ? string_literal(mask) : string_literal(content));
        }
        return text.empty() ? "{}" : '{' + text + " }";
    }

    template <class Enum>
        requires std::is_enum_v<Enum>
    std::string operator()(const Enum* from) const {
        return string_literal(to_string(*from));
    }
};

template <class Owner>
void append(std::string& out, std::string_view key, const option<Owner>& row, Owner& owner) {
    out.append(key).append(" = ").append(literal(row.in(owner), row.written)).append("\n");
}

void append_settings(std::string& out, settings& from) {
    std::string_view table;
    for (const auto& row : options()) {
        const auto dot = row.key.find('.');
        const auto its_table = dot == std::string_view::npos ? std::string_view{} : row.key.substr(0, dot);
        if (its_table != table) out.append("\n[").append(its_table).append("]\n");
        table = its_table;
        append(out, row.key.substr(table.empty() ? 0 : table.size() + 1), row, from);
    }
}

void append_sink(std::string& out, sink_settings& from) {
    out += "\n[[sinks]]\n";
    for (const auto& row : sink_options())
        append(out, row.key, row, from);
    for (const auto& row : sink_options(from.kind))
        append(out, row.key, row, from);
}

void append_key(std::string& out, key_settings& from) {
    out += "\n[[keys]]\n";
    for (const auto& row : key_options())
        append(out, row.key, row, from);
}

} // namespace

std::string literal(const slot& from, form written) {
    return std::visit(writer{written}, from);
}

std::string to_toml(const settings& from, key_hashes hashes) {
    auto copy = from; // slots may be written through, and so want an owner that may be
    std::string out;
    append_settings(out, copy);
    for (auto& sink : copy.sinks)
        append_sink(out, sink);
    for (auto& key : copy.keys) {
        if (hashes == key_hashes::masked) std::ranges::fill(key.sha256, mask);
        append_key(out, key);
    }
    return out;
}

} // namespace trackd::config
