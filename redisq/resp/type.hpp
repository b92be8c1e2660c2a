// The types of RESP2 and RESP3 replies.
//
//     const weir::redisq::resp::type kind = weir::redisq::resp::type::bulk_string;
//     report(weir::redisq::resp::name(kind));   // "bulk string"
//
// Attributes are no type of their own: they belong to the reply behind them. The null bulk string
// and the null array of RESP2 are `null`, as the null of RESP3 is.
//
// Thread: any; all are values. Source: the specification of RESP,
// https://redis.io/docs/latest/develop/reference/protocol-spec/.
#pragma once

#include <cstdint>
#include <string_view>

namespace weir::redisq::resp {

// What holds elements comes last: see is_aggregate().
enum class type : std::uint8_t {
    simple_string,    // +  a line
    error,            // -  a line
    integer,          // :  64 bits
    bulk_string,      // $  any bytes
    null,             // _  and $-1, *-1
    boolean,          // #
    floating,         // ,  a double
    big_number,       // (  digits, kept as text
    bulk_error,       // !  any bytes
    verbatim_string,  // =  any bytes with a format of three characters
    array,            // *
    map,              // %  pairs
    set,              // ~
    push              // >  out of band; never inside another reply
};

// "bulk string", "double", as error texts say it.
[[nodiscard]] std::string_view name(type kind) noexcept;

// Whether replies of this type hold elements.
[[nodiscard]] constexpr bool is_aggregate(type kind) noexcept { return kind >= type::array; }

}  // namespace weir::redisq::resp
