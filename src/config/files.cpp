// Reading by the C library, which says why it failed; pipes work as well as files.
#include "config/files.hpp"

#include "config/units.hpp"

#include <array>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <stdexcept>
#include <system_error>

namespace trackd::config {
namespace {

struct closer {
    void operator()(std::FILE* file) const noexcept { std::fclose(file); }
};

[[noreturn]] void fail(int reason) {
    throw std::runtime_error{std::generic_category().message(reason)};
}

} // namespace

std::string read_file(const std::string& path, std::size_t most) {
    const std::unique_ptr<std::FILE, closer> file{std::fopen(path.c_str(), "re")};
    if (!file) fail(errno);
    std::string text;
    std::array<char, 4096> piece{};
    while (const auto read = std::fread(piece.data(), 1, piece.size(), file.get())) {
        text.append(piece.data(), read);
        if (text.size() > most) throw std::runtime_error{"it has more than " + format_size(most)};
    }
    if (std::ferror(file.get()) != 0) fail(errno);
    return text;
}

} // namespace trackd::config
