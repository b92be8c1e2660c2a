// stream_event: a part of a reply that is handed out while it arrives.
//
//     weir::redisq::resp::parser replies;
//     give(replies, "*2\r\n:1\r\n");   // the second element is still to come
//     while (auto part = value_of(replies.next_event())) {
//         using kind = weir::redisq::resp::stream_event::kind;
//         use(part->what == kind::element ? part->view.integer() : 0);
//     }
//
// A reply is either one `value`, or a `begin`, any number of its parts, and an `end`. An array, a
// map or a set comes element by element, each whole, of a map keys and values by turns. A bulk
// string of more than whole_bytes_max comes in chunks as they arrive. Everything else is a value:
// short texts, numbers, errors, nulls, empty aggregates, pushes, and replies with attributes.
//
// Lifetime: view and bytes live until the parser's next prepare() or next_event(). Thread: a value.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "reply_view.hpp"
#include "type.hpp"

namespace weir::redisq::resp {

struct stream_event {
    enum class kind : std::uint8_t {
        value,    // `view` is the whole reply
        begin,    // `type` and `size` tell what comes: so many elements or bytes
        element,  // `view` is one of them
        chunk,    // `bytes` are some of them
        end       // of what began
    };

    static constexpr std::size_t whole_bytes_max = std::size_t{16} << 10;

    kind what = kind::value;
    resp::type type = resp::type::null;
    std::size_t size = 0;
    reply_view view = {};
    std::span<const std::byte> bytes = {};
};

}  // namespace weir::redisq::resp
