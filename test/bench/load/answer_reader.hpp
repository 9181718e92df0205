// Tells where one HTTP answer ends and the next begins, however the bytes are cut.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace trackd::bench {

/// What comes from one connection. It knows answers whose length their `Content-Length` says, which is all that the
/// servers of a measurement send; interim answers (1xx) are passed over. For one thread.
class answer_reader {
public:
    /// Takes from the front of `bytes` what belongs to the current answer.
    /// @return the status of the answer that is complete by that; nothing once all bytes are used up
    /// @throws std::runtime_error for what is no such answer
    std::optional<int> next(std::string_view& bytes);

private:
    std::optional<std::string_view> take_head(std::string_view& bytes);
    void read_head(std::string_view head);

    std::string part_; // of a head that has not come as a whole
    std::size_t body_left_ = 0;
    int status_ = 0; // of the answer whose body is to come; 0: a head is
};

} // namespace trackd::bench
