#include <trackd/error.hpp>

#include <string>

namespace trackd {

namespace {

class category final : public boost::system::error_category {
public:
    [[nodiscard]] const char* name() const noexcept override { return "trackd"; }

    [[nodiscard]] std::string message(int value) const override {
        switch (static_cast<errc>(value)) {
        case errc::backlog_full: return "the backlog is full; nothing was stored";
        case errc::too_large: return "more than the whole backlog may hold; nothing was stored";
        case errc::sealed: return "the tracker takes no more events; nothing was stored";
        case errc::not_confirmed: return "stored, not yet confirmed";
        case errc::journal_full: return "the journal has no room on its disk; nothing was stored";
        case errc::journal_failed: return "the journal's disk failed; the events may be stored or not";
        case errc::journal_slow: return "not on the disk yet; the events may be stored or not";
        case errc::given_up: return "given up before admission; nothing was stored";
        }
        return "unknown";
    }
};

} // namespace

const boost::system::error_category& tracker_category() noexcept {
    static const category instance;
    return instance;
}

} // namespace trackd
