// Closed files that are packed: when, what an error or a crash leaves, and that no event waits for it.
#include "file_lives.hpp"
#include "support/captured_log.hpp"

using namespace trackd;
using test::file_lives;
using test::ids_up_to;
using test::numbered_events;

namespace fs = std::filesystem;

namespace {

using strings = std::vector<std::string>;

// Each file has one event.
struct packing_sink : file_lives {
    packing_sink() {
        options.rotate_bytes = 1;
        options.compression = sinks::file_compression::zstd;
    }

    [[nodiscard]] strings names() const {
        strings all;
        for (const auto& file : files())
            all.push_back(file.filename().string());
        return all;
    }
};

} // namespace

TEST_CASE_METHOD(
    packing_sink, "a closed file is packed, and the current one is not", "[sinks][file][rotation]"
) {
    write(*begin(), numbered_events{3});
    CHECK(
        names() ==
        strings{
            "events-20261121T120000.000250Z.jsonl.zst", "events-20261121T120000.000251Z.jsonl.zst",
            "events.jsonl"
        }
    );
    CHECK(ids() == ids_up_to(3));
    CHECK(std::distance(fs::directory_iterator{directory.path()}, {}) == 3);
}

TEST_CASE_METHOD(packing_sink, "packed files and others are kept together", "[sinks][file][rotation]") {
    options.keep_files = 2;
    options.compression = sinks::file_compression::none;
    write(*begin(), numbered_events{2});
    options.compression = sinks::file_compression::zstd;
    write(*begin(), numbered_events{1, 3});
    CHECK(ids() == ids_up_to(3));
    options.compression = sinks::file_compression::none;
    write(*begin(), numbered_events{1, 4});
    CHECK(ids() == strings{"2", "3", "4"});
    CHECK(names().front().ends_with(".zst"));
    write(*begin(), numbered_events{2, 5});
    CHECK(ids() == strings{"4", "5", "6"});
    CHECK(std::distance(fs::directory_iterator{directory.path()}, {}) == 3);
}

TEST_CASE_METHOD(
    packing_sink, "files that were not packed yet are packed by and by", "[sinks][file][rotation]"
) {
    options.compression = sinks::file_compression::none;
    write(*begin(), numbered_events{5}); // four are closed
    options.compression = sinks::file_compression::zstd;
    const auto sink = begin();
    const auto packed = [this] {
        return std::ranges::count_if(names(), [](const auto& name) { return name.ends_with(".zst"); });
    };
    write(*sink, numbered_events{1, 6});
    CHECK(packed() == 2);
    write(*sink, numbered_events{1, 7});
    CHECK(packed() == 4);
    write(*sink, numbered_events{2, 8});
    CHECK(packed() == 8);
    CHECK(ids() == ids_up_to(9));
}

TEST_CASE_METHOD(
    packing_sink, "what a crash left of a packing is gone after the next", "[sinks][file][rotation]"
) {
    write(*begin(), numbered_events{2});
    const auto packed = files().front();
    const auto plain = packed.parent_path() / packed.stem();
    SECTION("before the packed file had its name") {
        fs::rename(packed, directory / "events.jsonl.zst.new");
        test::write_file(plain, test::unpacked(directory / "events.jsonl.zst.new"));
        fs::resize_file(directory / "events.jsonl.zst.new", 20);
    }
    SECTION("after that") {
        test::write_file(plain, test::unpacked(packed));
    }
    const auto sink = begin();
    CHECK_FALSE(fs::exists(directory / "events.jsonl.zst.new"));
    CHECK(ids() == ids_up_to(2));
    write(*sink, numbered_events{1, 3});
    CHECK_FALSE(fs::exists(plain));
    CHECK(ids() == ids_up_to(3));
}

TEST_CASE_METHOD(packing_sink, "a file that is there twice is removed as one", "[sinks][file][rotation]") {
    options.keep_files = 1;
    write(*begin(), numbered_events{2});
    const auto packed = files().front();
    test::write_file(packed.parent_path() / packed.stem(), test::unpacked(packed));
    write(*begin(), numbered_events{1, 3});
    CHECK(ids() == strings{"2", "3"});
    CHECK(std::distance(fs::directory_iterator{directory.path()}, {}) == 2);
}

TEST_CASE_METHOD(
    packing_sink, "a file that cannot be packed keeps no other from it, and is said once",
    "[sinks][file][rotation]"
) {
    const auto blocked = GENERATE(1U, 2U, 3U); // how many of the oldest
    options.compression = sinks::file_compression::none;
    write(*begin(), numbered_events{4}); // three are closed
    const auto closed = files();
    for (std::size_t i = 0; i < blocked; ++i)
        fs::create_directory(sinks::rotated_files::packed(closed.at(i)));
    options.compression = sinks::file_compression::zstd;
    const test::captured_log log;
    const auto sink = begin();
    write(*sink, numbered_events{5, 5}); // five more, of which each may pack two
    for (std::size_t i = 0; i < 7; ++i)  // the eighth may have its turn with the next
        CHECK(names().at(i).ends_with(".zst") == (i >= blocked));
    CHECK(log.lines("is packed later").size() == 1);
    for (std::size_t i = 0; i < blocked; ++i)
        fs::remove(sinks::rotated_files::packed(closed.at(i)));
    write(*sink, numbered_events{4, 10});
    for (std::size_t i = 0; i < 12; ++i)
        CHECK(names().at(i).ends_with(".zst"));
    CHECK(ids() == ids_up_to(13));
}

TEST_CASE_METHOD(
    packing_sink, "what is called like a closed file, and is none, is not packed", "[sinks][file][rotation]"
) {
    fs::create_directory(directory / "events-20200101T000000.000000Z.jsonl");
    const test::captured_log log;
    write(*begin(), numbered_events{3});
    CHECK(names().at(1).ends_with(".zst"));
    CHECK(names().at(2).ends_with(".zst"));
    CHECK(log.lines("is packed later").empty());
}

TEST_CASE_METHOD(
    packing_sink, "a disk without room for packing takes events all the same", "[sinks][file][rotation]"
) {
    std::string noise;
    for (unsigned i = 0; i < 4000; ++i)
        noise += static_cast<char>(1 + i * i * 7919U % 251U);
    const auto large = test::make_event("1", noise, data_kind::binary);
    const auto sink = begin();
    write(*sink, {&large, 1});
    {
        const test::file_size_limit full{600};
        write(*sink, numbered_events{2, 2});
        CHECK(files().size() == 3);
        CHECK_FALSE(fs::exists(directory / "events.jsonl.zst.new"));
        CHECK_FALSE(names().front().ends_with(".zst"));
    }
    write(*sink, numbered_events{1, 4});
    CHECK(names().front().ends_with(".zst"));
    CHECK(ids() == ids_up_to(4));
}
