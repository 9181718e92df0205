#include "intake/json_document.hpp"

#include <simdjson.h>

#include <new>

namespace trackd::intake {

namespace {

constexpr std::string_view byte_order_mark = "\xef\xbb\xbf"; // newer versions of simdjson skip it

constexpr std::size_t usual_capacity = 64UL * 1024UL;
constexpr std::size_t keep_capacity = 512UL * 1024UL; // about 14 bytes of memory for each byte of it

std::unique_ptr<simdjson::dom::parser> make_parser() {
    auto parser = std::make_unique<simdjson::dom::parser>();
    // Growing keeps the depth that was set here.
    if (parser->allocate(usual_capacity, max_json_depth) != simdjson::SUCCESS) throw std::bad_alloc{};
#ifdef SIMDJSON_THREADS_ENABLED
    parser->threaded = false; // no threads behind our back
#endif
    return parser;
}

/// simdjson has no numbers beyond 64 bits and doubles (which newer versions report by a code of their own),
/// and is one level short of the depth it is given. In these cases it has found all tokens, and that the text
/// is UTF-8.
bool may_be_valid(simdjson::error_code error) noexcept {
    switch (error) {
    case simdjson::CAPACITY:
    case simdjson::EMPTY:
    case simdjson::UTF8_ERROR:
    case simdjson::UNESCAPED_CHARS:
    case simdjson::UNCLOSED_STRING:
    case simdjson::STRING_ERROR:
    case simdjson::TAPE_ERROR:
    case simdjson::T_ATOM_ERROR:
    case simdjson::F_ATOM_ERROR:
    case simdjson::N_ATOM_ERROR:
    case simdjson::UNINITIALIZED:
    case simdjson::UNEXPECTED_ERROR: return false;
    default: return true;
    }
}

} // namespace

json_document::json_document() : parser_{make_parser()} {}

json_document::~json_document() = default;

std::optional<json_fault> json_document::parse(std::string_view text) {
    auto error = simdjson::UNEXPECTED_ERROR;
    if (!text.starts_with(byte_order_mark)) error = parser_->parse(text.data(), text.size(), false).error();
    if (error == simdjson::MEMALLOC) throw std::bad_alloc{};

    if (error != simdjson::SUCCESS) {
        if (auto fault = find_json_fault(text)) return fault;
        if (!may_be_valid(error)) return json_fault{0, "valid JSON"};
    }
    text_ = text;
    return std::nullopt;
}

std::size_t json_document::parse_all(std::string_view texts) {
    if (texts.starts_with(byte_order_mark)) return 0;
    simdjson::dom::document_stream stream;
    const auto in_one_go = texts.size(); // so that the tokens of all texts are there in the end
    if (parser_->parse_many(texts.data(), texts.size(), in_one_go).get(stream) != simdjson::SUCCESS) return 0;
    std::size_t count = 0;
    for (const auto text : stream) {
        if (text.error() != simdjson::SUCCESS) return 0;
        ++count;
    }
    if (stream.truncated_bytes() != 0) return 0;
    text_ = texts;
    return count;
}

json_cursor json_document::root() const noexcept {
    return {text_, parser_->implementation->structural_indexes.get()};
}

void json_document::release() {
    if (parser_->capacity() <= keep_capacity) return;
    text_ = {};
    parser_ = make_parser();
}

} // namespace trackd::intake
