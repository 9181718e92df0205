// Places in files of lines: what they are called, and that they do not depend on what a file is called.
#include "helpers.hpp"
#include "sinks/file_place.hpp"
#include "sinks/packed_file.hpp"

#include <trackd/backlog.hpp>

#include <zstd.h>

using namespace trackd;
using namespace trackd::sinks;

TEST_CASE("a file is known by its first line, whatever becomes of the rest", "[sinks][file]") {
    const test::temporary_directory directory;
    test::write_file(directory / "one", "first\n");
    test::write_file(directory / "longer", "first\nsecond\n");
    test::write_file(directory / "other", "fir\nst\n");
    test::write_file(directory / "empty", "");
    const auto known = fingerprint_of(directory / "one");
    CHECK(known == "a7937b64b8caa58f"); // printf first | sha256sum
    CHECK(fingerprint_of(directory / "longer") == known);
    CHECK(fingerprint_of_line("first\n") == known);
    CHECK(fingerprint_of_line("first\nsecond\n") == known);
    CHECK(fingerprint_of(directory / "other") != known);
    CHECK(fingerprint_of(directory / "empty").empty());
}

TEST_CASE("of a very long first line the front is enough to know a file by", "[sinks][file]") {
    const test::temporary_directory directory;
    const auto line = "1" + std::string(1'000'000, 'x');
    test::write_file(directory / "long", line + "\nsecond\n");
    CHECK(fingerprint_of(directory / "long") == fingerprint_of_line(line));
    CHECK(fingerprint_of_line("2" + line.substr(1)) != fingerprint_of_line(line));
}

TEST_CASE("a packed file has the same places as before", "[sinks][file]") {
    const test::temporary_directory directory;
    test::write_file(directory / "plain", "first\nsecond\n");
    REQUIRE(pack_file(directory / "plain", directory / "new", directory / "packed", {}));
    CHECK(end_of(directory / "plain") == file_place{fingerprint_of_line("first"), 13});
    CHECK(end_of(directory / "packed") == end_of(directory / "plain"));
    test::write_file(directory / "empty", "");
    CHECK_FALSE(end_of(directory / "empty").has_value());
}

TEST_CASE(
    "where a packed file says how large it was, its end is known without unpacking it", "[sinks][file]"
) {
    const test::temporary_directory directory;
    const auto text = "first\n" + std::string(1'000'000, 'x') + '\n';
    test::write_file(directory / "plain", text);
    REQUIRE(pack_file(directory / "plain", directory / "new", directory / "packed", {}));
    auto packed = test::read_file(directory / "packed");
    packed.back() = static_cast<char>(packed.back() ^ 1); // of its checksum, which unpacking would find wrong
    test::write_file(directory / "packed", packed);
    CHECK(end_of(directory / "packed") == file_place{fingerprint_of_line("first"), text.size()});
}

TEST_CASE("where a packed file does not say how large it was, it is unpacked", "[sinks][file]") {
    const test::temporary_directory directory;
    const std::string text = "first\nsecond\n";
    std::string packed(::ZSTD_compressBound(text.size()), '\0');
    ZSTD_CCtx* const context = ::ZSTD_createCCtx();
    ::ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, 0);
    packed.resize(::ZSTD_compress2(context, packed.data(), packed.size(), text.data(), text.size()));
    ::ZSTD_freeCCtx(context);
    REQUIRE(::ZSTD_getFrameContentSize(packed.data(), packed.size()) == ZSTD_CONTENTSIZE_UNKNOWN);
    test::write_file(directory / "packed", packed);
    CHECK(end_of(directory / "packed") == file_place{fingerprint_of_line("first"), text.size()});
}

TEST_CASE("a place is written as a bookmark, and read again", "[sinks][file]") {
    for (const auto& place :
         {file_place{}, file_place{"0123456789abcdef", 0},
          file_place{"0123456789abcdef", 18446744073709551615U}}) {
        CHECK(is_bookmark(to_bookmark(place)));
        CHECK(place_from(to_bookmark(place)) == place);
    }
    CHECK(to_bookmark({}) == "start");
    CHECK(to_bookmark({"0123456789abcdef", 42}) == "0123456789abcdef:42");
}

TEST_CASE("what is no place is not taken for one", "[sinks][file]") {
    for (const auto* text :
         {"", ":", ":1", "start:", "0123456789abcdef", "0123456789abcdef:", "0123456789abcde:1",
          "0123456789abcdef:01", "0123456789abcdef:-1", "0123456789abcdef:1x", "0123456789abcdeg:1",
          "0123456789ABCDEF:1", "0123456789abcdef:18446744073709551616", "0123456789abcdef1:1", "1523"}) {
        CAPTURE(text);
        CHECK_FALSE(place_from(text).has_value());
    }
}
