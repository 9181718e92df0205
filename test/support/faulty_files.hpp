// Files that fail when a test wants them to: a file_system in front of another one, which counts the operations.
#pragma once

#include "backlog/file_system.hpp"

#include <cerrno>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>
#include <vector>

namespace trackd::test {

enum class operation {
    open,
    read,
    write,
    sync,
    truncate,
    reserve,
    size,
    rename,
    remove,
    sync_directory,
    make_directory,
    list,
    free_bytes,
};

[[nodiscard]] constexpr std::string_view name(operation kind) noexcept {
    constexpr std::string_view names[] = {
        "open",   "read",   "write",          "sync",           "truncate", "reserve",    "size",
        "rename", "remove", "sync_directory", "make_directory", "list",     "free_bytes",
    };
    return names[static_cast<std::size_t>(kind)];
}

/// Any thread.
class faulty_files final : public journal::file_system {
public:
    /// One operation, as it was asked for.
    struct call {
        std::uint64_t number = 0;         ///< of all, from 1
        std::uint64_t number_of_kind = 0; ///< of its kind, from 1
        operation kind = operation::open;
        std::filesystem::path path; ///< of a file: as it was opened
        std::uint64_t file = 0; ///< the same for the same file, whatever it is called; zero for a directory
        int error = 0;          ///< what it failed with, here or below
    };

    /// What is to go wrong.
    struct fault {
        std::optional<operation> kind; ///< not given: of whatever kind it is
        std::uint64_t number = 1;      ///< the how manieth, of this kind or of all, since the beginning
        int error = EIO;
        bool lasting = false; ///< that one and all after it
        bool short_write =
            false; ///< a write does half of it; the file's next write fails. Others do not fail
    };

    /// @param below outlives it
    explicit faulty_files(file_system& below) : below_{below} {}

    void fail(fault which) {
        const std::scoped_lock lock{mutex_};
        faults_.push_back(which);
    }

    /// Nothing more goes wrong.
    void heal() {
        const std::scoped_lock lock{mutex_};
        faults_.clear();
        broken_off_.clear();
        left_out_.clear();
    }

    /// From now on operations of this kind do nothing, and say that they did.
    /// @param kind one that returns nothing
    void leave_out(operation kind) {
        const std::scoped_lock lock{mutex_};
        left_out_.insert(kind);
    }

    /// Called on the caller's thread before each operation; may use this object and the one below.
    void before_each(std::function<void(const call&)> callback) {
        const std::scoped_lock lock{mutex_};
        before_ = std::move(callback);
    }

    [[nodiscard]] std::uint64_t count() const {
        const std::scoped_lock lock{mutex_};
        return calls_.size();
    }

    [[nodiscard]] std::uint64_t count(operation kind) const {
        const std::scoped_lock lock{mutex_};
        const auto found = counts_.find(kind);
        return found == counts_.end() ? 0 : found->second;
    }

    [[nodiscard]] std::vector<call> calls() const {
        const std::scoped_lock lock{mutex_};
        return calls_;
    }

    /// The disk hangs: syncs do not return while it lives. Ends before whoever waits for such a sync.
    class hang {
    public:
        explicit hang(faulty_files& files) : files_{files} { files_.hold_syncs(true); }

        ~hang() { files_.hold_syncs(false); }

        hang(const hang&) = delete;
        hang& operator=(const hang&) = delete;

    private:
        faulty_files& files_;
    };

    /// How many syncs hang now.
    [[nodiscard]] std::size_t hanging() const {
        const std::scoped_lock lock{mutex_};
        return hanging_;
    }

    std::unique_ptr<journal::file> open(const std::filesystem::path& path, journal::open_mode mode) override {
        const auto id = mode == journal::open_mode::create ? new_id() : id_of(path);
        return run(operation::open, path, id, [&] {
            auto opened = std::make_unique<faulty_file>(*this, below_.open(path, mode), path, id);
            const std::scoped_lock lock{mutex_};
            ids_[path] = id;
            return opened;
        });
    }

    void rename(const std::filesystem::path& from, const std::filesystem::path& to) override {
        run(operation::rename, from, id_of(from), [&] {
            below_.rename(from, to);
            const std::scoped_lock lock{mutex_};
            auto moved = ids_.extract(from);
            ids_.erase(to);
            moved.key() = to;
            ids_.insert(std::move(moved));
        });
    }

    void remove(const std::filesystem::path& path) override {
        run(operation::remove, path, id_of(path), [&] {
            below_.remove(path);
            const std::scoped_lock lock{mutex_};
            ids_.erase(path);
        });
    }

    void sync_directory(const std::filesystem::path& directory) override {
        run(operation::sync_directory, directory, 0, [&] { below_.sync_directory(directory); });
    }

    void make_directory(const std::filesystem::path& path) override {
        run(operation::make_directory, path, 0, [&] { below_.make_directory(path); });
    }

    std::vector<std::string> list(const std::filesystem::path& directory) override {
        return run(operation::list, directory, 0, [&] { return below_.list(directory); });
    }

    std::uint64_t free_bytes(const std::filesystem::path& directory) override {
        return run(operation::free_bytes, directory, 0, [&] { return below_.free_bytes(directory); });
    }

private:
    class faulty_file final : public journal::file {
    public:
        faulty_file(
            faulty_files& files, std::unique_ptr<journal::file> below, std::filesystem::path path,
            std::uint64_t id
        )
            : files_{files}, below_{std::move(below)}, path_{std::move(path)}, id_{id} {}

        std::size_t read_at(std::uint64_t offset, std::span<char> into) override {
            return run(operation::read, [&] { return below_->read_at(offset, into); });
        }

        std::size_t write_at(std::uint64_t offset, std::span<const char> bytes) override {
            return run(operation::write, [&] {
                const bool half = files_.breaks_off(id_);
                return below_->write_at(offset, half ? bytes.first(bytes.size() / 2) : bytes);
            });
        }

        void sync() override {
            run(operation::sync, [&] { below_->sync(); });
        }

        void truncate(std::uint64_t size) override {
            run(operation::truncate, [&] { below_->truncate(size); });
        }

        void reserve(std::uint64_t size) override {
            run(operation::reserve, [&] { below_->reserve(size); });
        }

        std::uint64_t size() override {
            return run(operation::size, [&] { return below_->size(); });
        }

    private:
        template <class Work>
        std::invoke_result_t<Work> run(operation kind, Work work) {
            return files_.run(kind, path_, id_, work);
        }

        faulty_files& files_;
        std::unique_ptr<journal::file> below_;
        std::filesystem::path path_;
        std::uint64_t id_;
    };

    template <class Work>
    std::invoke_result_t<Work>
    run(operation kind, const std::filesystem::path& path, std::uint64_t id, Work work) {
        const auto begun = begin(kind, path, id);
        if constexpr (std::is_void_v<std::invoke_result_t<Work>>)
            if (is_left_out(kind)) return;
        try {
            if (const auto error = fault_of(begun)) journal::throw_error(path, name(kind), error);
            return work();
        } catch (const std::system_error& error) {
            const std::scoped_lock lock{mutex_};
            calls_[begun.number - 1].error = error.code().value();
            throw;
        }
    }

    /// Counts it, tells the test, and waits while the disk hangs.
    call begin(operation kind, const std::filesystem::path& path, std::uint64_t id) {
        std::unique_lock lock{mutex_};
        const call begun{calls_.size() + 1, ++counts_[kind], kind, path, id, 0};
        calls_.push_back(begun);
        if (const auto callback = before_) {
            lock.unlock();
            callback(begun);
            lock.lock();
        }
        if (kind != operation::sync) return begun;
        ++hanging_;
        released_.wait(lock, [this] { return !held_; });
        --hanging_;
        return begun;
    }

    [[nodiscard]] bool is_left_out(operation kind) const {
        const std::scoped_lock lock{mutex_};
        return left_out_.contains(kind);
    }

    /// The errno; zero if nothing is to go wrong with this one.
    [[nodiscard]] int fault_of(const call& begun) {
        const std::scoped_lock lock{mutex_};
        const bool writes = begun.kind == operation::write;
        if (const auto rest = writes ? broken_off_.extract(begun.file) : decltype(broken_off_)::node_type{})
            return rest.mapped();
        for (const auto& one : faults_) {
            if (one.kind && one.kind != begun.kind) continue;
            const auto number = one.kind ? begun.number_of_kind : begun.number;
            if (number != one.number && !(one.lasting && number > one.number)) continue;
            if (!one.short_write) return one.error;
            if (writes) broken_off_[begun.file] = one.error;
        }
        return 0;
    }

    /// Whether the write that has just been let through does half of it: then the next one is to fail.
    [[nodiscard]] bool breaks_off(std::uint64_t id) const {
        const std::scoped_lock lock{mutex_};
        return broken_off_.contains(id);
    }

    std::uint64_t id_of(const std::filesystem::path& path) {
        const std::scoped_lock lock{mutex_};
        const auto [known, is_new] = ids_.try_emplace(path, 0);
        if (is_new) known->second = ++last_id_;
        return known->second;
    }

    std::uint64_t new_id() {
        const std::scoped_lock lock{mutex_};
        return ++last_id_;
    }

    void hold_syncs(bool held) {
        const std::scoped_lock lock{mutex_};
        held_ = held;
        released_.notify_all();
    }

    file_system& below_;
    mutable std::mutex mutex_;
    std::condition_variable released_;
    bool held_ = false;
    std::size_t hanging_ = 0;
    std::vector<call> calls_;
    std::map<operation, std::uint64_t> counts_;
    std::vector<fault> faults_;
    std::set<operation> left_out_;
    std::function<void(const call&)> before_;
    std::map<std::filesystem::path, std::uint64_t> ids_;
    std::uint64_t last_id_ = 0;
    std::map<std::uint64_t, int> broken_off_; // by file: what the write of the rest will fail with
};

} // namespace trackd::test
