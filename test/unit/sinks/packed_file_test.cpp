// Packing files, and reading them: what was packed comes out, or an error.
#include "helpers.hpp"
#include "sinks/packed_file.hpp"

#include <sys/stat.h>
#include <zstd.h>

using namespace trackd;
using namespace trackd::sinks;

namespace fs = std::filesystem;

namespace {

struct packing {
    test::temporary_directory directory;
    fs::path plain = directory / "plain";
    fs::path packed = directory / "plain.zst";

    void pack(std::string_view text) {
        test::write_file(plain, text);
        REQUIRE(pack_file(plain, directory / "new", packed, {}));
    }

    [[nodiscard]] bool left_anything() const { return fs::exists(directory / "new"); }
};

std::string all_of(file_reader& reader) {
    std::string text;
    for (auto piece = reader.peek(); !piece.empty(); piece = reader.peek()) {
        text += piece;
        reader.consume(piece.size());
    }
    return text;
}

std::string read(const fs::path& file) {
    file_reader reader{file};
    return all_of(reader);
}

std::string unpacked_by_zstd(const std::string& packed) {
    const auto size = ::ZSTD_getFrameContentSize(packed.data(), packed.size());
    REQUIRE(size < 100'000'000);
    std::string text(size, '\0');
    REQUIRE(::ZSTD_decompress(text.data(), text.size(), packed.data(), packed.size()) == size);
    return text;
}

// Some of it compresses well, and some not at all.
std::string mixed_text(std::size_t bytes) {
    std::string text;
    std::uint32_t state = 1;
    while (text.size() < bytes) {
        for (int i = 0; i < 1000; ++i) {
            state = state * 1664525U + 1013904223U;
            text += static_cast<char>(state >> 24U);
        }
        text.append(5000, 'x');
    }
    return text;
}

} // namespace

TEST_CASE_METHOD(packing, "a packed file is one zstd frame, which says how large it was", "[sinks][file]") {
    for (const auto& text : {std::string{}, std::string{"a line\n"}, mixed_text(1'000'000)}) {
        pack(text);
        CHECK(unpacked_by_zstd(test::read_file(packed)) == text);
        CHECK(read(packed) == text);
        CHECK(read(plain) == text);
        CHECK_FALSE(left_anything());
    }
}

TEST_CASE_METHOD(packing, "a packed file is its owner's alone", "[sinks][file]") {
    pack("a line\n");
    CHECK(fs::status(packed).permissions() == (fs::perms::owner_read | fs::perms::owner_write));
}

TEST_CASE_METHOD(packing, "what a packing that never ended has left is replaced", "[sinks][file]") {
    test::write_file(directory / "new", std::string(100'000, 'x'));
    test::write_file(packed, "x");
    pack("a line\n");
    CHECK(read(packed) == "a line\n");
    CHECK_FALSE(left_anything());
}

TEST_CASE_METHOD(packing, "a packing that is stopped leaves nothing", "[sinks][file]") {
    test::write_file(plain, "a line\n");
    std::stop_source stop;
    stop.request_stop();
    CHECK_FALSE(pack_file(plain, directory / "new", packed, stop.get_token()));
    CHECK_FALSE(left_anything());
    CHECK_FALSE(fs::exists(packed));
    CHECK(fs::exists(plain));
}

TEST_CASE_METHOD(packing, "a packing that finds no room leaves nothing", "[sinks][file]") {
    test::write_file(plain, mixed_text(1'000'000));
    {
        const test::file_size_limit full{1000};
        CHECK(test::error_of([&] {
                  static_cast<void>(pack_file(plain, directory / "new", packed, {}));
              }) == "cannot write to " + (directory / "new").string() + ": File too large");
    }
    CHECK_FALSE(left_anything());
    CHECK_FALSE(fs::exists(packed));
}

TEST_CASE_METHOD(
    packing, "a packed file that is cut off anywhere is an error, not a shorter file", "[sinks][file]"
) {
    pack(mixed_text(10'000));
    const auto whole = test::read_file(packed);
    for (std::size_t size = 4; size < whole.size(); size += 5) {
        test::write_file(packed, whole.substr(0, size));
        CHECK_THROWS_AS(read(packed), damaged_file);
    }
}

TEST_CASE_METHOD(packing, "a bit that changes in a packed file is noticed", "[sinks][file]") {
    const auto text = mixed_text(3000);
    pack(text);
    const auto whole = test::read_file(packed);
    std::size_t noticed = 0;
    for (std::size_t at = 4; at < whole.size(); at += 3) {
        auto changed = whole;
        changed[at] = static_cast<char>(changed[at] ^ 1);
        test::write_file(packed, changed);
        std::string found;
        try {
            found = read(packed);
        } catch (const damaged_file&) {
            ++noticed;
            continue;
        }
        CHECK(found == text); // a bit without a meaning
    }
    CHECK(noticed > whole.size() / 6);
}

TEST_CASE_METHOD(
    packing, "a reader goes over bytes, packed or not, and no further than the end", "[sinks][file]"
) {
    const auto text = mixed_text(400'000);
    pack(text);
    for (const auto& file : {plain, packed}) {
        for (const std::size_t bytes : {std::size_t{0}, std::size_t{1}, std::size_t{200'001}, text.size()}) {
            file_reader reader{file};
            CHECK(reader.skip(bytes, {}) == bytes);
            CHECK(all_of(reader) == text.substr(bytes));
        }
        file_reader reader{file};
        static_cast<void>(reader.peek());
        reader.consume(10);
        CHECK(reader.skip(5, {}) == 5);
        CHECK(reader.peek().starts_with(text.substr(15, 100)));
        CHECK(reader.skip(text.size(), {}) == text.size() - 15);
        CHECK(reader.peek().empty());
        CHECK(reader.skip(1, {}) == 0);
    }
}

TEST_CASE_METHOD(packing, "a packed file of any size ends where it ends", "[sinks][file]") {
    for (const std::size_t bytes : {131'071U, 131'072U, 131'073U, 262'144U}) {
        CAPTURE(bytes);
        const auto text = mixed_text(bytes).substr(0, bytes);
        pack(text);
        CHECK(read(packed) == text);
    }
}

TEST_CASE_METHOD(packing, "several frames in a row are one file", "[sinks][file]") {
    pack("a line\n");
    const auto one = test::read_file(packed);
    test::write_file(packed, one + one);
    CHECK(read(packed) == "a line\na line\n");
}
