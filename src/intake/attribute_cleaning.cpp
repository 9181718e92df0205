#include "intake/attribute_cleaning.hpp"

#include "base/sha256.hpp"
#include "base/utf8.hpp"

#include <trackd/event.hpp>

#include <algorithm>
#include <cstddef>

namespace trackd::intake {

namespace {

std::string cleaned(std::string_view text, std::size_t most_bytes) {
    std::string out{base::whole_characters(text, most_bytes)};
    std::ranges::replace_if(out, [](char c) { return static_cast<unsigned char>(c) < 0x20; }, ' ');
    return out;
}

} // namespace

std::string cleaned_attribute(std::string_view text) {
    return cleaned(text, max_attribute_bytes);
}

std::string cleaned_id(std::string_view text) {
    const auto digest = '-' + base::to_hex(base::sha256(text));
    return cleaned(text, max_attribute_bytes - digest.size()) + digest;
}

} // namespace trackd::intake
