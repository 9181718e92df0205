// A journal's parts on a simulated disk, without the strand that drives them: for tests of one part at a time.
#pragma once

#include "backlog/commit_writer.hpp"
#include "backlog/recovery.hpp"
#include "backlog/segment_walk.hpp"
#include "support/events.hpp"
#include "support/faulty_files.hpp"
#include "support/simulated_disk.hpp"

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace trackd::test {

/// `count` events whose ids are their positions, if the first one gets this position.
inline std::shared_ptr<const batch>
events_at(position first, std::size_t count, std::size_t data_bytes = 100) {
    auto events = std::make_shared<batch>();
    const std::string data(data_bytes, 'x');
    for (std::size_t i = 0; i < count; ++i) {
        const auto id = std::to_string(first + i);
        auto event = make_event(id);
        event.data = data;
        event.kind = data_kind::text;
        events->append(event);
    }
    return events;
}

/// The directory of a small journal, and what is in it.
struct journal_parts {
    journal_parts() {
        disk.make_directory(options.directory);
        disk.sync_directory("/disk");
    }

    [[nodiscard]] std::filesystem::path path(const std::string& name) const {
        return options.directory / name;
    }

    [[nodiscard]] std::filesystem::path segment(position first) const {
        return path(journal::segment_name(first));
    }

    [[nodiscard]] std::vector<std::string> names() { return disk.list(options.directory); }

    [[nodiscard]] std::uint64_t size(const std::filesystem::path& file) {
        return disk.open(file, journal::open_mode::read)->size();
    }

    [[nodiscard]] std::string content(const std::filesystem::path& file) {
        const auto open = disk.open(file, journal::open_mode::read);
        std::string bytes(open->size(), '\0');
        bytes.resize(journal::read_fully(*open, 0, bytes));
        return bytes;
    }

    void put(const std::string& name, std::string_view content) {
        const auto open = disk.open(path(name), journal::open_mode::create);
        if (!content.empty()) journal::write_fully(*open, 0, content);
        open->sync();
        disk.sync_directory(options.directory);
    }

    /// Writes over what is in the file.
    void change(const std::filesystem::path& file, std::uint64_t offset, std::string_view bytes) {
        const auto open = disk.open(file, journal::open_mode::write);
        journal::write_fully(*open, offset, bytes);
        open->sync();
    }

    /// The offsets of the events in a segment that is whole.
    [[nodiscard]] std::vector<std::uint64_t> offsets(position first) {
        std::vector<std::uint64_t> found;
        for (const auto& record : records(first))
            if (record.head.kind == journal::record_kind::event) found.push_back(record.offset);
        return found;
    }

    /// The records, whose bodies are gone.
    [[nodiscard]] std::vector<journal::found_record> records(position first) {
        const auto open = disk.open(segment(first), journal::open_mode::read);
        const auto header = journal::decode_header(content(segment(first))).header;
        journal::segment_walk walk{
            *open, header, {journal::segment_header::encoded_bytes, first}, open->size()
        };
        std::vector<journal::found_record> all;
        for (;;) {
            const auto step = walk.next();
            if (std::holds_alternative<journal::segment_end>(step)) return all;
            if (const auto* record = std::get_if<journal::found_record>(&step)) {
                all.push_back(*record);
                all.back().body = {};
            }
        }
    }

    simulated_disk disk;
    faulty_files files{disk};
    journal::cursors cursors;
    std::uint32_t salt = 100;
    journal_options options = [] {
        journal_options small;
        small.directory = "/disk/journal";
        small.segment_bytes = 64 * 1024;
        small.max_bytes = 16 * small.segment_bytes;
        small.min_free_bytes = 0;
        return small;
    }();
};

/// One process's use of it.
struct opened_parts {
    explicit opened_parts(journal_parts& in)
        : found{journal::recover(in.files, in.options.directory, in.cursors, in.options.segment_bytes)},
          store{in.files, in.options, found.segments, found.spares},
          writer{store, in.options, found.goes_on, [&in] { return ++in.salt; }} {}

    /// One commit of one batch, of events whose ids are their positions.
    void commit(std::size_t events, std::size_t data_bytes = 100) {
        const auto one = events_at(writer.next(), events, data_bytes);
        writer.commit(std::span{&one, 1});
    }

    /// Commits until there is a new segment.
    /// @return its first position
    position commit_to_next_segment(std::size_t data_bytes = 9000) {
        const auto before = newest();
        while (newest() == before)
            commit(1, data_bytes);
        return newest();
    }

    /// The first position of the newest segment; 0 if there is none.
    [[nodiscard]] position newest() const {
        const auto last = store.find(writer.next());
        return last ? last->segment.header.first : 0;
    }

    journal::recovered found;
    journal::segment_store store;
    journal::commit_writer writer;
};

/// Operations that wait until a test lets them through.
class gate {
public:
    /// @param holds which operations are held up
    gate(faulty_files& files, std::function<bool(const faulty_files::call&)> holds) : files_{files} {
        files_.before_each([this, holds = std::move(holds)](const faulty_files::call& call) {
            if (holds(call)) pass();
        });
    }

    ~gate() {
        open();
        files_.before_each({});
    }

    gate(const gate&) = delete;
    gate& operator=(const gate&) = delete;

    /// Returns when one waits.
    void wait() {
        std::unique_lock lock{mutex_};
        changed_.wait(lock, [this] { return waiting_ > 0; });
    }

    void open() {
        const std::lock_guard lock{mutex_};
        open_ = true;
        changed_.notify_all();
    }

private:
    void pass() {
        std::unique_lock lock{mutex_};
        ++waiting_;
        changed_.notify_all();
        changed_.wait(lock, [this] { return open_; });
        --waiting_;
    }

    faulty_files& files_;
    std::mutex mutex_;
    std::condition_variable changed_;
    int waiting_ = 0;
    bool open_ = false;
};

} // namespace trackd::test
