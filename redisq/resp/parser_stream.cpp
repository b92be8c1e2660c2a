// Replies in parts. The buffer begins with what has not been handed out yet, and so do the offsets
// of the parser: each element is parsed as if it stood alone.
#include <algorithm>
#include <utility>

#include "../../runtime/assert.hpp"
#include "detail/scan.hpp"
#include "parser.hpp"

namespace weir::redisq::resp {

parser::event_outcome parser::next_event() {
    if (complete_) {
        restart();
    }
    if (error_) {
        return std::unexpected(*error_);
    }
    switch (stream_) {
        case stream_state::none:
            return begin_event();
        case stream_state::elements:
            return element_event();
        default:
            return text_event();
    }
}

// The first part of a reply.
parser::event_outcome parser::begin_event() {
    if (buffer_.size() == 0) {
        return std::optional<stream_event>();
    }
    if (parsed_ != 0) {  // next() has begun with it
        return whole_event(stream_event::kind::value);
    }
    stream_event begun;
    begun.what = stream_event::kind::begin;
    std::size_t each = 1;
    switch (*buffer_.begin()) {
        case '$':
            begun.type = type::bulk_string;
            break;
        case '*':
            begun.type = type::array;
            break;
        case '~':
            begun.type = type::set;
            break;
        case '%':
            begun.type = type::map;
            each = 2;
            break;
        default:
            return whole_event(stream_event::kind::value);
    }
    // Where the number is not there or not right, the parser waits or fails as it always does.
    const char* after = buffer_.begin() + 1;
    std::uint64_t length = 0;
    if (!detail::read_short_number(after, length) || buffer_.end() - after < 2 ||
        !detail::is_line_end(after)) {
        return whole_event(stream_event::kind::value);
    }
    const bool is_text = begun.type == type::bulk_string;
    const bool in_parts =
        is_text ? length > stream_event::whole_bytes_max && length <= limits_.bulk_bytes_max
                : length != 0 && length * each <= limits_.elements_max;
    if (!in_parts) {
        return whole_event(stream_event::kind::value);
    }
    begun.size = static_cast<std::size_t>(length) * each;
    stream_ = is_text ? stream_state::text : stream_state::elements;
    stream_left_ = begun.size;
    depth_max_ = limits_.depth_max - (is_text ? 0 : 1);
    hand_out(static_cast<std::size_t>(after + 2 - buffer_.begin()));
    return begun;
}

// A whole reply, as a value or an element.
parser::event_outcome parser::whole_event(stream_event::kind what) {
    const outcome found = next_whole();
    if (!found) {
        return std::unexpected(found.error());
    }
    if (!*found) {
        return std::optional<stream_event>();
    }
    stream_event event;
    event.what = what;
    event.view = **found;
    event.type = event.view.kind();
    event.size = event.view.size();
    return event;
}

parser::event_outcome parser::element_event() {
    if (stream_left_ == 0) {
        return end_event();
    }
    event_outcome element = whole_event(stream_event::kind::element);
    if (element && *element) {
        --stream_left_;
    }
    return element;
}

parser::event_outcome parser::text_event() {
    stream_event event;
    if (stream_left_ != 0) {
        if (buffer_.size() == 0) {
            return std::optional<stream_event>();
        }
        event.what = stream_event::kind::chunk;
        event.type = type::bulk_string;
        event.size = std::min(stream_left_, buffer_.size());
        event.bytes = {reinterpret_cast<const std::byte*>(buffer_.begin()), event.size};
        stream_left_ -= event.size;
        hand_out(event.size);
        return event;
    }
    if (buffer_.size() < 2) {
        return std::optional<stream_event>();
    }
    if (!detail::is_line_end(buffer_.begin())) {
        static_cast<void>(fail_line_end(buffer_.begin(), "behind a string of the declared length"));
        return std::unexpected(*error_);
    }
    hand_out(2);
    return end_event();
}

parser::event_outcome parser::end_event() {
    stream_ = stream_state::none;
    depth_max_ = limits_.depth_max;
    stream_event event;
    event.what = stream_event::kind::end;
    return event;
}

// The first `count` bytes are given up at the next call.
void parser::hand_out(std::size_t count) noexcept {
    parsed_ = count;
    complete_ = true;
    taken_ = true;
}

}  // namespace weir::redisq::resp
