#include "support/simulated_disk.hpp"

#include <algorithm>
#include <cerrno>
#include <optional>
#include <random>
#include <span>
#include <string_view>
#include <utility>

namespace trackd::test {

namespace fs = std::filesystem;
using journal::throw_error;

namespace {

constexpr std::uint64_t sector_bytes = 512;

} // namespace

// What a power cut leaves of what is not safe. The standard's distributions differ between libraries; this does not.
class disk_image::chance {
public:
    explicit chance(std::uint64_t seed) : mode_{seed == 0 ? nothing : seed == 1 ? all : some}, random_{seed} {}

    /// In [least, most].
    std::size_t between(std::size_t least, std::size_t most) {
        switch (mode_) {
        case nothing: return least;
        case all: return most;
        case some: break;
        }
        return least + random_() % (most - least + 1);
    }

    /// As it is, or for one file nothing or everything, which a sector at a time hardly ever comes to.
    [[nodiscard]] chance for_a_file() {
        auto one = *this;
        if (mode_ != some) return one;
        one.random_.seed(random_());
        const auto turn = random_() % 4;
        if (turn < 2) one.mode_ = turn == 0 ? nothing : all;
        return one;
    }

private:
    enum mode { nothing, all, some };

    mode mode_;
    std::mt19937_64 random_;
};

void disk_image::apply(const directory_change& change) {
    switch (change.kind) {
    case directory_change::what::link: names_[change.path] = change.file; break;
    case directory_change::what::unlink: names_.erase(change.path); break;
    case directory_change::what::make_directory: directories_.insert(change.path); break;
    case directory_change::what::rename:
        names_[change.to] = change.file;
        if (const auto from = names_.find(change.path); from != names_.end() && from->second == change.file)
            names_.erase(from);
        break;
    }
}

// A file that is cut off gives its blocks back, in one step with its size: so of a sector that was cut off there is a
// state before it if the file is still long, and one after it if not.
std::string disk_image::content(const kept_file& file, chance& luck) {
    const auto& pending = file.pending;
    const auto sized = luck.between(0, pending.size()); // so many changes of the size have happened
    const auto size = sized == 0 ? file.safe->size() : pending[sized - 1]->size_after;
    std::string bytes = *file.safe;
    std::set<std::uint64_t> sectors;
    for (const auto& change : pending) {
        bytes.resize(std::max<std::size_t>(bytes.size(), change->end));
        for (auto at = change->offset / sector_bytes * sector_bytes; at < change->end; at += sector_bytes)
            sectors.insert(at);
    }
    for (const auto sector : sectors) {
        std::vector<const file_change*> states;
        std::size_t least = 0;
        std::optional<std::size_t> most;
        for (std::size_t i = 0; i < pending.size(); ++i) {
            const auto& change = *pending[i];
            if (change.offset >= sector + sector_bytes || change.end <= sector) continue;
            if (change.shrinks && i >= sized && !most) most = states.size();
            states.push_back(&change);
            if (change.shrinks && i < sized) least = states.size();
        }
        const auto happened = luck.between(least, most.value_or(states.size()));
        for (std::size_t i = 0; i < happened; ++i) {
            const auto& change = *states[i];
            const auto end = std::min(change.end, sector + sector_bytes);
            for (auto at = std::max(change.offset, sector); at < end; ++at)
                bytes[at] =
                    at - change.offset < change.bytes.size() ? change.bytes[at - change.offset] : '\0';
        }
    }
    bytes.resize(size);
    return bytes;
}

std::unique_ptr<simulated_disk> disk_image::after_power_cut(std::uint64_t seed) const {
    chance luck{seed};
    auto left = *this;
    auto directories = luck.for_a_file();
    for (const auto& change : pending_)
        if (directories.between(0, 1) == 1) left.apply(change);
    auto disk = std::make_unique<simulated_disk>("/");
    disk->directories_ = disk->image_.directories_ = left.directories_;
    for (const auto& [path, file] : left.names_) {
        if (!left.directories_.contains(path.parent_path())) continue; // which was not made after all
        auto luck_of_file = luck.for_a_file();
        disk->add_safe(path, content(files_.at(file), luck_of_file));
    }
    return disk;
}

class simulated_disk::open_file final : public journal::file {
public:
    // Under the disk's lock.
    open_file(simulated_disk& disk, fs::path path, node opened, bool writes)
        : disk_{disk}, path_{std::move(path)}, file_{opened}, writes_{writes} {
        ++disk_.files_.at(file_).users;
    }

    ~open_file() override {
        const std::scoped_lock lock{disk_.mutex_};
        disk_.drop_user(file_);
    }

    std::size_t read_at(std::uint64_t offset, std::span<char> into) override {
        const std::scoped_lock lock{disk_.mutex_};
        const auto& content = live().content;
        if (offset >= content.size()) return 0;
        return content.copy(into.data(), into.size(), offset);
    }

    std::size_t write_at(std::uint64_t offset, std::span<const char> bytes) override {
        const std::scoped_lock lock{disk_.mutex_};
        check_writes("write");
        if (bytes.empty()) return 0;
        const auto end = disk_.allocate(live(), offset, offset + bytes.size());
        if (end <= offset) throw_error(path_, "write", ENOSPC);
        const auto written = bytes.first(end - offset);
        disk_.change(
            file_,
            {offset, end, {written.begin(), written.end()}, std::max<std::uint64_t>(end, size_now()), false}
        );
        disk_.done();
        return written.size();
    }

    void sync() override {
        const std::scoped_lock lock{disk_.mutex_};
        auto& kept = disk_.image_.files_.at(file_);
        const auto error = disk_.take_sync_error();
        if (error == 0 && !kept.pending.empty()) {
            disk_image::chance all{1};
            kept.safe = std::make_shared<const std::string>(disk_image::content(kept, all));
        }
        kept.pending.clear();
        disk_.done();
        if (error != 0) throw_error(path_, "fdatasync", error);
    }

    void truncate(std::uint64_t size) override {
        const std::scoped_lock lock{disk_.mutex_};
        check_writes("truncate");
        const auto before = size_now();
        if (size < before) {
            disk_.change(file_, {size, before, {}, size, true});
            disk_.free_from(live(), (size + block_bytes - 1) / block_bytes);
        } else if (size > before) {
            disk_.change(file_, {size, size, {}, size, false});
        }
        disk_.done();
    }

    // As ext4 does, takes what room there is before it says that it was not enough.
    void reserve(std::uint64_t size) override {
        const std::scoped_lock lock{disk_.mutex_};
        check_writes("fallocate");
        const auto end = disk_.allocate(live(), 0, size);
        if (end > size_now()) disk_.change(file_, {end, end, {}, end, false});
        disk_.done();
        if (end < size) throw_error(path_, "fallocate", ENOSPC);
    }

    std::uint64_t size() override {
        const std::scoped_lock lock{disk_.mutex_};
        return size_now();
    }

private:
    [[nodiscard]] live_file& live() const { return disk_.files_.at(file_); }

    [[nodiscard]] std::uint64_t size_now() const { return live().content.size(); }

    void check_writes(std::string_view operation) const {
        if (!writes_) throw_error(path_, operation, EBADF);
    }

    simulated_disk& disk_;
    fs::path path_;
    node file_;
    bool writes_;
};

simulated_disk::simulated_disk(const fs::path& root) {
    directories_.insert(root);
    image_.directories_.insert(root);
}

simulated_disk::~simulated_disk() = default;

disk_image simulated_disk::snapshot() const {
    const std::scoped_lock lock{mutex_};
    return image_;
}

void simulated_disk::limit(std::uint64_t bytes) {
    const std::scoped_lock lock{mutex_};
    limit_ = bytes;
}

std::uint64_t simulated_disk::used() const {
    const std::scoped_lock lock{mutex_};
    return used_;
}

void simulated_disk::after_each(std::function<void(std::uint64_t, const disk_image&)> callback) {
    const std::scoped_lock lock{mutex_};
    after_ = std::move(callback);
}

void simulated_disk::fail_next_sync(int error, std::optional<std::thread::id> by) {
    const std::scoped_lock lock{mutex_};
    next_sync_error_ = error;
    next_sync_error_by_ = by;
}

// Zero if this sync is to succeed. Under the lock.
int simulated_disk::take_sync_error() {
    if (next_sync_error_by_ && *next_sync_error_by_ != std::this_thread::get_id()) return 0;
    return std::exchange(next_sync_error_, 0);
}

std::unique_ptr<journal::file> simulated_disk::open(const fs::path& path, journal::open_mode mode) {
    const std::scoped_lock lock{mutex_};
    if (mode != journal::open_mode::create)
        return std::make_unique<open_file>(
            *this, path, find(path, "open"), mode == journal::open_mode::write
        );
    check_directory(path.parent_path(), "create");
    if (names_.contains(path) || directories_.contains(path)) throw_error(path, "create", EEXIST);
    const auto file = ++last_node_;
    files_[file].users = 1;
    names_[path] = file;
    image_.files_[file];
    change_directory({directory_change::what::link, path, {}, file});
    auto opened = std::make_unique<open_file>(*this, path, file, true);
    done();
    return opened;
}

void simulated_disk::rename(const fs::path& from, const fs::path& to) {
    const std::scoped_lock lock{mutex_};
    const auto file = find(from, "rename");
    check_directory(to.parent_path(), "rename");
    if (from.parent_path() != to.parent_path()) throw_error(from, "rename", EXDEV); // is not simulated
    if (from == to) return;
    if (const auto replaced = names_.find(to); replaced != names_.end()) drop_user(replaced->second);
    names_[to] = file;
    names_.erase(from);
    change_directory({directory_change::what::rename, from, to, file});
    done();
}

void simulated_disk::remove(const fs::path& path) {
    const std::scoped_lock lock{mutex_};
    const auto file = find(path, "remove");
    names_.erase(path);
    drop_user(file);
    change_directory({directory_change::what::unlink, path, {}, file});
    done();
}

void simulated_disk::sync_directory(const fs::path& directory) {
    const std::scoped_lock lock{mutex_};
    check_directory(directory, "fsync");
    for (const auto& change : image_.pending_)
        if (change.lies_in(directory)) image_.apply(change);
    std::erase_if(image_.pending_, [&](const auto& change) { return change.lies_in(directory); });
    forget_removed();
    done();
}

void simulated_disk::make_directory(const fs::path& path) {
    const std::scoped_lock lock{mutex_};
    check_directory(path.parent_path(), "make directory");
    if (names_.contains(path)) throw_error(path, "make directory", EEXIST);
    if (!directories_.insert(path).second) return;
    change_directory({directory_change::what::make_directory, path, {}, 0});
    done();
}

std::vector<std::string> simulated_disk::list(const fs::path& directory) {
    const std::scoped_lock lock{mutex_};
    check_directory(directory, "list");
    std::vector<std::string> found;
    for (const auto& [path, file] : names_)
        if (path.parent_path() == directory) found.push_back(path.filename().string());
    std::ranges::sort(found);
    return found;
}

std::uint64_t simulated_disk::free_bytes(const fs::path& directory) {
    const std::scoped_lock lock{mutex_};
    check_directory(directory, "statvfs");
    return limit_ > used_ ? limit_ - used_ : 0;
}

void simulated_disk::add_safe(const fs::path& path, std::string content) {
    const auto file = ++last_node_;
    names_[path] = image_.names_[path] = file;
    auto& live = files_[file];
    live.users = 1;
    static_cast<void>(allocate(live, 0, content.size()));
    image_.files_[file].safe = std::make_shared<const std::string>(content);
    live.content = std::move(content);
}

void simulated_disk::change(node file, file_change what) {
    auto& content = files_.at(file).content;
    content.resize(what.size_after);
    std::ranges::copy(
        what.bytes, content.begin() + static_cast<std::ptrdiff_t>(what.bytes.empty() ? 0 : what.offset)
    );
    image_.files_.at(file).pending.push_back(std::make_shared<const file_change>(std::move(what)));
}

// What nobody has open and no power cut can bring back.
void simulated_disk::forget_removed() {
    std::set<node> known;
    for (const auto& [file, live] : files_)
        known.insert(file);
    for (const auto& [path, file] : image_.names_)
        known.insert(file);
    for (const auto& change : image_.pending_)
        known.insert(change.file);
    std::erase_if(image_.files_, [&known](const auto& one) { return !known.contains(one.first); });
}

void simulated_disk::change_directory(directory_change what) {
    image_.pending_.push_back(std::move(what));
}

void simulated_disk::done() {
    ++operations_;
    if (after_) after_(operations_, image_);
}

void simulated_disk::check_directory(const fs::path& directory, std::string_view operation) const {
    if (!directories_.contains(directory))
        throw_error(directory, operation, names_.contains(directory) ? ENOTDIR : ENOENT);
}

simulated_disk::node simulated_disk::find(const fs::path& path, std::string_view operation) const {
    if (directories_.contains(path)) throw_error(path, operation, EISDIR);
    const auto found = names_.find(path);
    if (found == names_.end()) throw_error(path, operation, ENOENT);
    return found->second;
}

// Up to where there is room now, which is before `end` when the disk is full.
std::uint64_t simulated_disk::allocate(live_file& file, std::uint64_t from, std::uint64_t end) {
    if (from >= end) return end;
    const auto last = (end - 1) / block_bytes;
    if (file.blocks.size() <= last) file.blocks.resize(last + 1);
    for (auto block = from / block_bytes; block <= last; ++block) {
        if (file.blocks[block]) continue;
        if (limit_ < block_bytes || used_ > limit_ - block_bytes) return std::max(from, block * block_bytes);
        file.blocks[block] = true;
        used_ += block_bytes;
    }
    return end;
}

void simulated_disk::free_from(live_file& file, std::uint64_t block) {
    for (; block < file.blocks.size(); ++block) {
        if (!file.blocks[block]) continue;
        file.blocks[block] = false;
        used_ -= block_bytes;
    }
}

void simulated_disk::drop_user(node file) {
    auto& live = files_.at(file);
    if (--live.users != 0) return;
    free_from(live, 0);
    files_.erase(file);
}

} // namespace trackd::test
