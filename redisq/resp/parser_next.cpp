// The short way from one reply to the next.
#include <algorithm>

#include "../../runtime/assert.hpp"
#include "detail/scan.hpp"
#include "parser.hpp"

namespace weir::redisq::resp {

using detail::node;

namespace {

constexpr std::size_t small_bytes_min = 4;  // ":1" and its line end
constexpr std::size_t small_line_max = 32;  // longer ones are scanned in words

}  // namespace

parser::outcome parser::next() {
    WEIR_ASSERT(stream_ == stream_state::none, "next() is not called inside a streamed reply");
    if (complete_) {
        restart();
    }
    if (parse_small()) [[likely]] {
        complete_ = true;
        return reply_view(nodes_.data() + 1, buffer_.begin());
    }
    return next_whole();
}

// The current reply is of no more use.
void parser::restart() noexcept {
    buffer_.drop(parsed_);
    dropped_ += parsed_;
    nodes_.restart();
    depth_ = 0;
    remaining_ = 1;
    parsed_ = 0;
    needed_ = 1;
    scanned_ = 0;
    complete_ = false;
    taken_ = false;
}

// Most replies are one short line or one string, all of which has come: those need no state. False,
// and nothing has happened: all others, and what is wrong.
bool parser::parse_small() noexcept {
    const char* const begin = buffer_.begin();
    const std::size_t here = buffer_.size();
    if (parsed_ != 0 || here < small_bytes_min || error_ || nodes_.capacity() == 0) {
        return false;
    }
    const char* after = begin + 1;
    std::uint64_t number = 0;
    if (*begin == '$') {
        // The number may end with the buffer, behind which the scan has stopped.
        if (!detail::read_short_number(after, number) || number > limits_.bulk_bytes_max ||
            number + 4 > static_cast<std::uint64_t>(begin + here - after) ||
            !detail::is_line_end(after) || !detail::is_line_end(after + 2 + number)) {
            return false;
        }
        const auto offset = static_cast<std::uint64_t>(after + 2 - begin);
        return keep_small(node::text(type::bulk_string, number, offset), offset + number + 2);
    }
    if (*begin == '+') {
        const char* const stop = begin + std::min(here - 1, small_line_max);
        while (after != stop && *after != '\r' && *after != '\n') {
            ++after;
        }
        const auto length = static_cast<std::size_t>(after - begin - 1);
        return after != stop && detail::is_line_end(after) &&
               keep_small(node::text(type::simple_string, length, 1), length + 3);
    }
    if (*begin == ':') {
        return detail::read_short_number(after, number) && begin + here - after >= 2 &&
               detail::is_line_end(after) &&
               keep_small(node::integer(static_cast<std::int64_t>(number)),
                          static_cast<std::size_t>(after + 2 - begin));
    }
    return false;
}

bool parser::keep_small(const node& parsed, std::size_t bytes) noexcept {
    if (bytes > limits_.reply_bytes_max) {
        return false;
    }
    nodes_.data()[1] = parsed;
    nodes_.set_size(2);
    parsed_ = bytes;
    return true;
}

}  // namespace weir::redisq::resp
