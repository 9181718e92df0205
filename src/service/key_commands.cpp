#include "service/key_commands.hpp"

#include "base/base64.hpp"
#include "base/sha256.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <sys/random.h>
#include <system_error>

namespace trackd::service {

namespace {

using secret = std::array<unsigned char, 32>;

secret random_bytes() {
    secret bytes;
    // So few bytes come whole or not at all; what a signal may interrupt is the wait for a machine that just started.
    while (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
        if (errno != EINTR) throw std::system_error{errno, std::generic_category(), "no random bytes"};
    }
    return bytes;
}

/// RFC 4648 section 5, without padding: goes into URLs, headers and shells as it is.
std::string base64_url(const secret& bytes) {
    std::string text;
    base::append_base64(text, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    std::ranges::replace(text, '+', '-');
    std::ranges::replace(text, '/', '_');
    std::erase(text, '=');
    return text;
}

} // namespace

std::string make_key() {
    return "trk_" + base64_url(random_bytes());
}

std::string new_key_text(std::string_view name) {
    const auto key = make_key();
    std::string text = "The key, for the client. It is shown this once, and stored nowhere:\n\n    " + key;
    text += "\n\nFor the configuration, then SIGHUP:\n\n[[keys]]\nname = \"";
    text.append(name).append("\"\nsha256 = \"").append(base::to_hex(base::sha256(key))).append("\"\n");
    return text;
}

} // namespace trackd::service
