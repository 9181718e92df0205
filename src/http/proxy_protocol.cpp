// Version 1 is a line of text, version 2 binary; they differ in their first byte.
#include "http/proxy_protocol.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace trackd::http {

namespace {

using enum proxy_header::outcome;
using enum proxy_header::source;

constexpr std::string_view line_mark = "PROXY ";
constexpr std::string_view binary_mark{"\r\n\r\n\0\r\nQUIT\n", 12};
constexpr std::size_t fixed_bytes = 16; // of version 2: the mark, version and command, family, length

proxy_header malformed_header(std::string_view complaint) {
    return {.what = malformed, .complaint = complaint};
}

/// Whether the text may still become one that begins with the mark, or does so already.
bool may_begin_with(std::string_view mark, std::string_view text) noexcept {
    const auto common = std::min(mark.size(), text.size());
    return mark.substr(0, common) == text.substr(0, common);
}

/// What stands before the next blank, which is taken off as well; the rest, where there is none.
std::string_view take_word(std::string_view& line) noexcept {
    const auto end = std::min(line.find(' '), line.size());
    const auto word = line.substr(0, end);
    line.remove_prefix(std::min(end + 1, line.size()));
    return word;
}

/// A number up to 65535, without a zero before it.
bool is_port(std::string_view text) noexcept {
    if (text.empty() || text.size() > 5 || (text.size() > 1 && text.front() == '0')) return false;
    std::uint32_t port = 0;
    for (const char c : text) {
        if (c < '0' || c > '9') return false;
        port = port * 10 + static_cast<std::uint32_t>(c - '0');
    }
    return port <= 65535;
}

/// An address of this family. One of IPv6 has a colon, even where it stands for one of IPv4.
std::optional<client_address> address_in(std::string_view word, bool v6) {
    if ((word.find(':') != std::string_view::npos) != v6) return {};
    return parse_address(word);
}

proxy_header read_line(std::string_view line) {
    const auto size = line.size() + 2;
    line.remove_prefix(line_mark.size());
    const auto family = take_word(line);
    if (family == "UNKNOWN") return {.what = complete, .bytes = size}; // whatever follows
    if (family != "TCP4" && family != "TCP6")
        return malformed_header("it names none of TCP4, TCP6 and UNKNOWN");
    const bool v6 = family == "TCP6";
    const bool ends_in_word = !line.ends_with(' ');
    const auto from = address_in(take_word(line), v6);
    const auto to = address_in(take_word(line), v6);
    if (!from || !to) return malformed_header("it has no two addresses of its family");
    const bool ports = is_port(take_word(line)) && is_port(take_word(line));
    if (!ports || !line.empty() || !ends_in_word) return malformed_header("it does not end in two ports");
    return {.what = complete, .whose = client, .address = from, .bytes = size};
}

proxy_header read_version_1(std::string_view received) {
    const auto within = received.substr(0, max_proxy_line_bytes);
    const auto end = within.find_first_of("\r\n");
    if (end != std::string_view::npos && (within[end] == '\n' || end + 1 < within.size())) {
        if (within.substr(end, 2) != "\r\n") return malformed_header("its line does not end in CR and LF");
        return read_line(within.substr(0, end));
    }
    if (within.size() == max_proxy_line_bytes) return malformed_header("its line is longer than 107 bytes");
    return {};
}

proxy_header read_addresses(std::uint8_t family, std::string_view block) {
    const auto size = fixed_bytes + block.size();

    struct known {
        std::uint8_t family; // and protocol
        std::size_t bytes;   // of its addresses and ports
        std::size_t address; // the client's, which stands first
    };

    constexpr std::array streams{known{0x11, 12, 4}, known{0x21, 36, 16}, known{0x31, 216, 0}};
    const auto* const found = std::ranges::find(streams, family, &known::family);
    if (found != streams.end()) {
        if (block.size() < found->bytes)
            return malformed_header("it is too short for the addresses that it announces");
        if (found->address == 0) return {.what = complete, .whose = local, .bytes = size};
        return {
            .what = complete,
            .whose = client,
            .address = address_from_bytes(block.substr(0, found->address)),
            .bytes = size
        };
    }
    constexpr std::array<std::uint8_t, 4> others{0x00, 0x12, 0x22, 0x32}; // unspecified, datagrams
    if (std::ranges::find(others, family) == others.end())
        return malformed_header("it names a family or protocol that there is not");
    return {.what = complete, .bytes = size};
}

proxy_header read_version_2(std::string_view received) {
    const auto byte = [&](std::size_t at) { return static_cast<std::uint8_t>(received[at]); };
    if (received.size() > 12) {
        if (byte(12) >> 4U != 2) return malformed_header("its version is not 2");
        if ((byte(12) & 0xfU) > 1) return malformed_header("its command is neither LOCAL nor PROXY");
    }
    if (received.size() < fixed_bytes) return {};
    const auto length = static_cast<std::size_t>(byte(14) << 8U | byte(15));
    if (fixed_bytes + length > max_proxy_header_bytes)
        return malformed_header("it is longer than 4096 bytes");
    if (received.size() < fixed_bytes + length) return {};
    const bool is_local = (byte(12) & 0xfU) == 0;
    if (is_local) return {.what = complete, .bytes = fixed_bytes + length}; // whatever it says of addresses
    return read_addresses(byte(13), received.substr(fixed_bytes, length));
}

} // namespace

proxy_header read_proxy_header(std::string_view received) {
    if (received.empty()) return {};
    const bool binary = received.front() == binary_mark.front();
    const auto mark = binary ? binary_mark : line_mark;
    if (!may_begin_with(mark, received)) return malformed_header("the connection does not begin with one");
    if (received.size() < mark.size()) return {};
    return binary ? read_version_2(received) : read_version_1(received);
}

} // namespace trackd::http
