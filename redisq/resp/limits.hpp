// What a parser takes from its peer before it calls the stream broken.
//
//     weir::redisq::resp::limits allowed;
//     allowed.bulk_bytes_max = std::size_t{512} << 20;
//     weir::redisq::resp::parser replies(allowed);
//
// None of these is ever allocated in advance: memory follows the bytes that were received.
//
// Thread: any; a value.
#pragma once

#include <cstddef>

namespace weir::redisq::resp {

struct limits {
    // Aggregates inside each other, attributes too: 1 to 1,024.
    std::size_t depth_max = 32;
    // A bulk string, bulk error or verbatim string: 1 to 512 MiB.
    std::size_t bulk_bytes_max = std::size_t{64} << 20;
    // Elements of one aggregate, each pair of a map counted twice: 1 to 2^30.
    std::size_t elements_max = std::size_t{1} << 20;
    // A line without its CR LF: 64 to 512 MiB. Simple strings, errors and numbers are lines.
    std::size_t line_bytes_max = std::size_t{64} << 10;
    // One whole reply as it is on the wire: 64 to 4 GiB - 1.
    std::size_t reply_bytes_max = std::size_t{1} << 30;

    // Throws std::invalid_argument, which names the limit, its value and its range.
    void check() const;
};

}  // namespace weir::redisq::resp
