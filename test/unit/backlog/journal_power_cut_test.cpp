// Cuts the power after every operation of a journal's life, and of its recovery, and looks for what was lost.
#include "support/catch.hpp"
#include "support/faulty_files.hpp"
#include "support/simulated_disk.hpp"
#include "unit/backlog/journal_run.hpp"

#include <algorithm>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

using namespace trackd;
using test::faulty_files;
using test::operation;

namespace {

// The disk at one moment, and what had been promised by then.
struct moment {
    std::string before; // which operation
    test::disk_image image;
    position stored = 1;
    position moved = 1;
};

// Keeps the moment before each operation that changes the disk, and the last one. Those of `last_run` are left out: they
// would more than double the recoveries, and run_mark_test cuts the power at each.
class recorder {
public:
    recorder(const test::simulated_disk& disk, faulty_files& files, const test::promises& made)
        : disk_{disk}, made_{made} {
        files.before_each([this](const faulty_files::call& call) {
            if (changes(call.kind) && call.path.filename() != "last_run")
                keep(std::string{name(call.kind)} + ' ' + call.path.filename().string());
        });
    }

    // A promise that is known now was made before; what a sink needs no more may still become less.
    void keep(std::string before) {
        const auto stored = made_.stored.load();
        auto image = disk_.snapshot();
        const auto moved = made_.moved.load();
        const std::scoped_lock lock{mutex_};
        moments_.push_back({std::move(before), std::move(image), stored, moved});
    }

    [[nodiscard]] std::vector<moment> take() {
        keep("end");
        const std::scoped_lock lock{mutex_};
        return std::move(moments_);
    }

private:
    static bool changes(operation kind) {
        switch (kind) {
        case operation::read:
        case operation::size:
        case operation::list:
        case operation::free_bytes: return false;
        default: return true;
        }
    }

    const test::simulated_disk& disk_;
    const test::promises& made_;
    std::mutex mutex_;
    std::vector<moment> moments_;
};

constexpr std::uint64_t seeds = 12;

struct power_cuts {
    test::journal_place place;
    test::promises made;
    std::optional<operation> left_out; // by a disk that lies

    // A journal's life: several segments, of which some are given up and used again; opened twice.
    std::vector<moment> life(std::size_t batches) {
        const auto disk = place.new_disk();
        faulty_files files{*disk};
        if (left_out) files.leave_out(*left_out);
        recorder kept{*disk, files, made};
        for (int runs = 0; runs < 2; ++runs) {
            test::journal_run journal{place.options, files, made};
            for (std::size_t i = 0; i < batches; ++i) {
                REQUIRE(journal.store(1 + i % 4));
                if (i % 5 == 4) journal.move(made.stored - 4);
                if (i % 5 == 4) journal.pass(std::chrono::seconds{2});
            }
            journal.close();
        }
        return kept.take();
    }

    // A life in which the newest segment is full and delivered again and again, while there is no room for another one: on
    // a disk that is too small for two, where its file serves again; or after a restart with smaller bounds, where it is
    // removed.
    std::vector<moment> full_life(std::size_t batches, bool small_disk) {
        const auto disk = place.new_disk();
        faulty_files files{*disk};
        recorder kept{*disk, files, made};
        const auto segment = place.options.segment_bytes;
        if (small_disk)
            disk->limit(segment + segment / 2 + segment / 4);
        else
            place.options.segment_bytes = 4 * segment;
        for (int runs = 0; runs < 3; ++runs) {
            if (runs > 0 && !small_disk) place.options.segment_bytes = segment;
            if (runs > 0 && !small_disk) place.options.max_bytes = 2 * segment;
            test::journal_run journal{place.options, files, made};
            for (std::size_t i = 0; i < batches; ++i)
                while (!journal.store(1 + i % 4))
                    make_room_in(journal);
            journal.close();
        }
        return kept.take();
    }

    void make_room_in(test::journal_run& journal) {
        ++fulls;
        journal.move(made.stored);
        journal.pass(std::chrono::seconds{2});
        journal.wait([&] { return journal.condition() == backlog_condition::good; });
    }

    int fulls = 0;

    // Cuts the power at that moment.
    [[nodiscard]] std::string losses(const moment& at, std::uint64_t seed) {
        return losses(at, *at.image.after_power_cut(seed), "seed " + std::to_string(seed));
    }

    // Cuts the power at that moment, and then again before each operation of the recovery.
    [[nodiscard]] std::string losses_of_recovery(const moment& at, std::uint64_t seed) {
        const auto disk = at.image.after_power_cut(seed);
        faulty_files files{*disk};
        if (left_out) files.leave_out(*left_out);
        recorder kept{*disk, files, made};
        auto lost = losses(at, files, "seed " + std::to_string(seed));
        for (const auto& again : kept.take()) {
            if (!lost.empty()) break;
            const auto where =
                "seeds " + std::to_string(seed) + ", and before " + again.before + " of the recovery";
            for (std::uint64_t second = 0; second < 3 && lost.empty(); ++second)
                lost = losses(at, *again.image.after_power_cut(second), where + " " + std::to_string(second));
        }
        return lost;
    }

private:
    [[nodiscard]] std::string losses(const moment& at, journal::file_system& files, const std::string& how) {
        auto lost = test::losses(place.options, files, made, at.stored, at.moved);
        if (lost.empty()) lost = set_aside(files);
        return lost.empty() ? lost : "cut before " + at.before + ", " + how + ": " + lost;
    }

    // No power cut damages the cursors or a header, or makes one belong to another segment.
    [[nodiscard]] std::string set_aside(journal::file_system& files) const {
        for (const auto& found : files.list(place.options.directory))
            if (found == "cursors.damaged" || found.ends_with(".segment.damaged"))
                return found + " was set aside";
        return {};
    }

    std::uint64_t last_seed_ = 0;
};

// Of a disk that does not do what it says; one loss is enough.
std::string first_loss(power_cuts& cuts) {
    for (const auto& at : cuts.life(24))
        for (std::uint64_t seed = 0; seed < seeds; ++seed)
            if (auto lost = cuts.losses(at, seed); !lost.empty()) return lost;
    return {};
}

} // namespace

TEST_CASE_METHOD(
    power_cuts, "a power cut at any moment loses nothing that was stored", "[journal][power_cut]"
) {
    const auto batches = GENERATE(std::size_t{10}, std::size_t{24}); // so that segments end at other moments
    const auto moments = life(batches);
    CHECK(moments.size() > 100);
    CHECK(moments.back().stored > 4 * batches);
    for (const auto& at : moments)
        for (std::uint64_t seed = 0; seed < seeds; ++seed)
            CHECK(losses(at, seed) == "");
}

TEST_CASE_METHOD(
    power_cuts, "a power cut while the newest segment is given up loses nothing, and no position is reused",
    "[journal][power_cut]"
) {
    const bool small_disk = GENERATE(true, false);
    CAPTURE(small_disk);
    const auto moments = full_life(20, small_disk);
    CHECK(fulls >= (small_disk ? 2 : 1));
    CHECK(moments.size() > 60);
    for (const auto& at : moments)
        for (std::uint64_t seed = 0; seed < seeds; ++seed)
            CHECK(losses(at, seed) == "");
}

TEST_CASE_METHOD(
    power_cuts, "a power cut in a recovery without any segment loses nothing", "[journal][power_cut]"
) {
    const bool small_disk = GENERATE(true, false);
    std::uint64_t seed = 0;
    for (const auto& at : full_life(12, small_disk))
        CHECK(losses_of_recovery(at, seed++ % seeds) == "");
}

TEST_CASE_METHOD(
    power_cuts, "a power cut at any moment of a recovery loses nothing", "[journal][power_cut]"
) {
    std::uint64_t seed = 0;
    for (const auto& at : life(10))
        CHECK(losses_of_recovery(at, seed++ % seeds) == "");
}

TEST_CASE_METHOD(power_cuts, "without fdatasync the power cuts find losses", "[journal][power_cut]") {
    left_out = operation::sync;
    CHECK(first_loss(*this) != "");
}

TEST_CASE_METHOD(
    power_cuts, "without syncs of the directory the power cuts find losses", "[journal][power_cut]"
) {
    left_out = operation::sync_directory;
    CHECK(first_loss(*this) != "");
}
