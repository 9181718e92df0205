// A disk in memory whose power can be cut: it knows what is safe, what is only on its way, and what may be left of
// that.
#pragma once

#include "backlog/file_system.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace trackd::test {

class simulated_disk;

/// What a disk holds at one moment: safely, and maybe. Cheap to copy.
///
/// A file's content and size are safe once it is synced. That a file was made, renamed or removed, or a directory
/// made, is safe once the directory that it lies in is synced, whether the file itself is or not.
class disk_image {
public:
    /// The disk as it may look when the power is cut now. Of each sector (512 bytes) of a file there is any state
    /// since its last sync, whatever there is of the others; the same goes for the file's size, but what was cut off
    /// and grew again is not the old content. Of what was done to directories and is not safe, each single operation
    /// happened or did not; a rename is one operation.
    /// @param seed 0: nothing is left but what is safe; 1: all is; else something in between, always the same
    [[nodiscard]] std::unique_ptr<simulated_disk> after_power_cut(std::uint64_t seed) const;

private:
    friend class simulated_disk;

    using node = std::uint64_t; // a file, whatever it is called

    struct file_change {
        std::uint64_t offset = 0;
        std::uint64_t end = 0;        // [offset, end) is changed,
        std::string bytes;            // to this; where it is shorter, to zeros
        std::uint64_t size_after = 0; // of the file
        bool shrinks = false;
    };

    struct kept_file {
        std::shared_ptr<const std::string> safe = std::make_shared<const std::string>();
        std::vector<std::shared_ptr<const file_change>> pending;
    };

    struct directory_change {
        enum class what { link, unlink, rename, make_directory };

        what kind = what::link;
        std::filesystem::path path;
        std::filesystem::path to; // of a rename
        node file = 0;

        [[nodiscard]] bool lies_in(const std::filesystem::path& directory) const {
            return path.parent_path() == directory;
        }
    };

    class chance;

    void apply(const directory_change& change);
    [[nodiscard]] static std::string content(const kept_file& file, chance& luck);

    std::set<std::filesystem::path> directories_;
    std::map<std::filesystem::path, node> names_;
    std::map<node, kept_file> files_;
    std::vector<directory_change> pending_;
};

/// Any thread.
class simulated_disk final : public journal::file_system {
public:
    static constexpr std::uint64_t block_bytes = 4096; ///< room is taken in these

    /// @param root is there, and safe
    explicit simulated_disk(const std::filesystem::path& root = "/disk");

    ~simulated_disk() override;

    [[nodiscard]] disk_image snapshot() const;

    [[nodiscard]] std::unique_ptr<simulated_disk> after_power_cut(std::uint64_t seed) const {
        return snapshot().after_power_cut(seed);
    }

    /// How much room there is, taken or not; writing and reserving beyond it meets ENOSPC.
    void limit(std::uint64_t bytes);

    /// How much room is taken: by files that have a name, or are open.
    [[nodiscard]] std::uint64_t used() const;

    /// Called after each operation that changed something, or made it safe, with how many there were so far. Must not
    /// use the disk.
    void after_each(std::function<void(std::uint64_t number, const disk_image& now)> callback);

    /// The next sync of a file fails, and does to the file what Linux does: what was to be made safe can still be read
    /// but never becomes safe, though later syncs succeed.
    /// @param by whose sync; not given: anybody's
    void fail_next_sync(int error, std::optional<std::thread::id> by = {});

    std::unique_ptr<journal::file> open(const std::filesystem::path& path, journal::open_mode mode) override;
    void rename(const std::filesystem::path& from, const std::filesystem::path& to) override;
    void remove(const std::filesystem::path& path) override;
    void sync_directory(const std::filesystem::path& directory) override;
    void make_directory(const std::filesystem::path& path) override;
    std::vector<std::string> list(const std::filesystem::path& directory) override;
    std::uint64_t free_bytes(const std::filesystem::path& directory) override;

private:
    friend class disk_image;

    class open_file;
    using node = disk_image::node;
    using directory_change = disk_image::directory_change;
    using file_change = disk_image::file_change;

    // A file as its readers see it.
    struct live_file {
        std::string content;
        std::vector<bool> blocks; // those that take room
        std::size_t users = 0;    // names and open files
    };

    void add_safe(const std::filesystem::path& path, std::string content);
    void change(node file, file_change what);
    void done();
    void forget_removed();
    void change_directory(directory_change what);
    void check_directory(const std::filesystem::path& directory, std::string_view operation) const;
    [[nodiscard]] node find(const std::filesystem::path& path, std::string_view operation) const;
    [[nodiscard]] int take_sync_error();
    [[nodiscard]] std::uint64_t allocate(live_file& file, std::uint64_t from, std::uint64_t end);
    void free_from(live_file& file, std::uint64_t block);
    void drop_user(node file);

    mutable std::mutex mutex_;
    disk_image image_;
    std::set<std::filesystem::path> directories_; // these three as everybody sees them now
    std::map<std::filesystem::path, node> names_;
    std::map<node, live_file> files_;
    node last_node_ = 0;
    std::uint64_t limit_ = std::numeric_limits<std::uint64_t>::max();
    std::uint64_t used_ = 0;
    std::uint64_t operations_ = 0;
    std::function<void(std::uint64_t, const disk_image&)> after_;
    int next_sync_error_ = 0;
    std::optional<std::thread::id> next_sync_error_by_;
};

} // namespace trackd::test
