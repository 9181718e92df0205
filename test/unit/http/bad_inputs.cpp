#include "bad_inputs.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <fstream>
#include <stdexcept>

namespace trackd::test {

namespace json = boost::json;

namespace {

std::string from_hex(std::string_view text) {
    std::string bytes;
    for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
        bytes.push_back(static_cast<char>(std::stoi(std::string{text.substr(i, 2)}, nullptr, 16)));
    }
    return bytes;
}

std::string text_of(const json::value& value) {
    return {value.as_string().begin(), value.as_string().end()};
}

std::vector<std::string_view> split(std::string_view text, char separator) {
    std::vector<std::string_view> parts;
    for (;;) {
        const auto at = text.find(separator);
        parts.push_back(text.substr(0, at));
        if (at == std::string_view::npos) return parts;
        text.remove_prefix(at + 1);
    }
}

std::vector<std::string_view> expected_statuses(std::string_view expect) {
    const auto statuses = expect.substr(0, expect.find(' '));
    if (statuses == "-") return {};
    return split(statuses, ',');
}

bad_input read_line(const std::string& line) {
    const auto value = json::parse(line);
    const auto& object = value.as_object();
    bad_input input{
        text_of(object.at("id")), {}, text_of(object.at("expect")), text_of(object.at("why")), false
    };
    input.half_close = object.contains("half_close");
    for (const auto& part : object.at("raw").as_array()) {
        const auto bytes = from_hex(part.at(0).as_string());
        for (auto times = part.at(1).to_number<int>(); times > 0; --times)
            input.bytes += bytes;
    }
    return input;
}

} // namespace

bool bad_input::as_expected(const std::vector<int>& statuses, fate end) const {
    const auto wanted = expected_statuses(expect);
    const auto matches = [](std::string_view alternatives, int status) {
        const auto list = split(alternatives, '/');
        return std::ranges::find(list, std::to_string(status)) != list.end();
    };
    if (!std::ranges::equal(wanted, statuses, matches)) return false;
    const auto last_word = expect.substr(expect.find(' ') + 1);
    return last_word == "any" || (last_word == "close") == (end == fate::closed);
}

std::size_t bad_input::answers() const {
    return expected_statuses(expect).size();
}

std::vector<bad_input> load_bad_inputs(std::string_view groups) {
    std::ifstream file(TRACKD_BAD_INPUTS);
    if (!file) throw std::runtime_error("cannot read " TRACKD_BAD_INPUTS);
    std::vector<bad_input> inputs;
    for (std::string line; std::getline(file, line);) {
        auto input = read_line(line);
        if (groups.find(input.id.front()) != std::string_view::npos) inputs.push_back(std::move(input));
    }
    return inputs;
}

} // namespace trackd::test
