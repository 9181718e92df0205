#include "sinks/packed_file.hpp"

#include "sinks/file_calls.hpp"

#include <algorithm>
#include <fcntl.h>
#include <new>
#include <string>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace trackd::sinks {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t piece_bytes = std::size_t{128} * 1024;
constexpr std::string_view zstd_magic = "\x28\xB5\x2F\xFD"; // no line of JSON begins with it

std::uint64_t size_of(int fd, const fs::path& path) {
    struct stat info{};
    if (::fstat(fd, &info) != 0) fail("look at", path);
    return static_cast<std::uint64_t>(info.st_size);
}

class packer {
public:
    explicit packer(std::uint64_t bytes) : context_{::ZSTD_createCCtx()}, out_(::ZSTD_CStreamOutSize()) {
        if (!context_) throw std::bad_alloc{};
        check(::ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_checksumFlag, 1));
        check(::ZSTD_CCtx_setPledgedSrcSize(context_.get(), bytes)); // and so the file says how large it was
    }

    /// @param last nothing comes after that
    void write(std::string_view piece, bool last, int to, const fs::path& path) {
        ZSTD_inBuffer in{piece.data(), piece.size(), 0};
        for (std::size_t left = 1; left != 0;) {
            ZSTD_outBuffer out{out_.data(), out_.size(), 0};
            left =
                check(::ZSTD_compressStream2(context_.get(), &out, &in, last ? ZSTD_e_end : ZSTD_e_continue));
            write_out(to, {out_.data(), out.pos}, path);
            if (!last && in.pos == in.size) return;
        }
    }

private:
    struct free_context {
        void operator()(ZSTD_CCtx* context) const noexcept { ::ZSTD_freeCCtx(context); }
    };

    static std::size_t check(std::size_t result) {
        if (::ZSTD_isError(result) != 0)
            throw std::runtime_error{std::string{"zstd: "} + ::ZSTD_getErrorName(result)};
        return result;
    }

    std::unique_ptr<ZSTD_CCtx, free_context> context_;
    std::vector<char> out_;
};

bool write_packed(const fs::path& from, const fs::path& by, const std::stop_token& stop) {
    const auto source = open_or_fail(from, O_RDONLY);
    const auto target = open_or_fail(by, O_WRONLY | O_CREAT | O_TRUNC);
    packer work{size_of(source.get(), from)};
    std::vector<char> piece(piece_bytes);
    for (;;) {
        if (stop.stop_requested()) return false;
        const auto n = read_some(source.get(), piece, from);
        work.write({piece.data(), n}, n == 0, target.get(), by);
        if (n == 0) break;
    }
    sync_data(target.get(), by);
    return true;
}

} // namespace

bool pack_file(const fs::path& from, const fs::path& by, const fs::path& to, const std::stop_token& stop) {
    std::error_code left; // there is nothing more to be done about
    try {
        if (!write_packed(from, by, stop)) {
            fs::remove(by, left);
            return false;
        }
        fs::rename(by, to);
        sync_directory(to.parent_path());
    } catch (...) {
        fs::remove(by, left);
        throw;
    }
    return true;
}

file_reader::file_reader(fs::path path)
    : path_{std::move(path)}, file_{open_or_fail(path_, O_RDONLY | O_NONBLOCK)}, out_(piece_bytes) {
    if (!fill() || !std::string_view{out_.data(), end_}.starts_with(zstd_magic)) return;
    context_.reset(::ZSTD_createDCtx());
    if (!context_) throw std::bad_alloc{};
    in_.resize(piece_bytes);
    in_.swap(out_);
    in_end_ = std::exchange(end_, 0);
}

std::string_view file_reader::peek() {
    if (at_ == end_ && !(context_ ? unpack() : fill())) return {};
    return {out_.data() + at_, end_ - at_};
}

bool file_reader::fill() {
    at_ = 0;
    end_ = read_some(file_.get(), out_, path_);
    return end_ > 0;
}

bool file_reader::unpack() {
    at_ = end_ = 0;
    while (end_ == 0) {
        if (in_at_ == in_end_ && !more_within_) {
            in_at_ = 0;
            in_end_ = read_some(file_.get(), in_, path_);
            if (in_end_ == 0 && within_frame_)
                throw damaged_file{path_.string() + " is cut off: it ends before its zstd frame does"};
            if (in_end_ == 0) return false;
        }
        ZSTD_inBuffer in{in_.data(), in_end_, in_at_};
        ZSTD_outBuffer out{out_.data(), out_.size(), 0};
        const auto result = ::ZSTD_decompressStream(context_.get(), &out, &in);
        if (::ZSTD_isError(result) != 0)
            throw damaged_file{path_.string() + " is no sound zstd: " + ::ZSTD_getErrorName(result)};
        within_frame_ = result != 0;
        more_within_ = within_frame_ && out.pos == out.size;
        in_at_ = in.pos;
        end_ = out.pos;
    }
    return true;
}

std::uint64_t file_reader::skip(std::uint64_t bytes, const std::stop_token& stop) {
    std::uint64_t skipped = 0;
    if (!context_) { // what is in memory is let go
        const auto here = static_cast<std::uint64_t>(::lseek(file_.get(), 0, SEEK_CUR)) - (end_ - at_);
        skipped = std::min(bytes, size_of(file_.get(), path_) - here);
        if (::lseek(file_.get(), static_cast<off_t>(here + skipped), SEEK_SET) < 0) fail("read", path_);
        at_ = end_ = 0;
        return skipped;
    }
    while (skipped < bytes) {
        check_stop(stop);
        const auto piece = std::min<std::uint64_t>(peek().size(), bytes - skipped);
        if (piece == 0) break;
        consume(piece);
        skipped += piece;
    }
    return skipped;
}

std::optional<std::uint64_t> file_reader::stated_size() const noexcept {
    if (!context_) return {};
    const auto size = ::ZSTD_getFrameContentSize(in_.data(), in_end_);
    if (size == ZSTD_CONTENTSIZE_UNKNOWN || size == ZSTD_CONTENTSIZE_ERROR) return {};
    return size;
}

void check_stop(const std::stop_token& stop) {
    if (stop.stop_requested()) throw std::runtime_error{"the daemon stops"};
}

} // namespace trackd::sinks
