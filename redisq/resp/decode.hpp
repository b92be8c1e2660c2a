// decode<T>: a reply as a value of C++.
//
//     const auto scores = weir::redisq::resp::decode<std::map<std::string, double>>(view);
//     if (!scores) { report(scores.error().message()); }
//
// | T                             | is made of                                              |
// |-------------------------------|---------------------------------------------------------|
// | integers but char             | integer, boolean, a text that is one; in T's range      |
// | float, double                 | double, integer, a text that is one                     |
// | bool                          | boolean, the integers 0 and 1, the texts "0" and "1"    |
// | std::string, std::string_view | simple, bulk and verbatim string, big number            |
// | std::vector<std::byte>        | the same                                                |
// | std::optional<U>              | a null, or what U is made of                            |
// | lists and sets of U           | array, set, push; a map gives keys and values by turns  |
// | maps, lists of std::pair      | map; keys and values by turns; a list of lists of two   |
// | std::array, tuple, pair       | an aggregate of exactly so many elements                |
// | reply_view, reply             | anything; reply is a copy                               |
// | void                          | anything but an error                                   |
// | a struct                      | pairs of names and values, see below                    |
//
// What RESP2 and RESP3 answer to the same command is decoded alike. A key that comes twice keeps
// its last value.
//
// A struct takes part by a function decode_fields in its namespace. Pairs that it does not name are
// ignored; a field that does not come is an error, unless it is an optional:
//
//     struct user { std::string name; std::optional<int> age; };
//     auto decode_fields(user& into) {
//         return std::tuple(weir::redisq::resp::field("name", into.name),
//                           weir::redisq::resp::field("age", into.age));
//     }
//
// Errors: an error reply is an error here too, and so is what does not fit: its text names what was
// wanted and what came, and the way to it, but no values. std::bad_alloc is thrown.
// Lifetime: views of texts and replies live as long as what `view` looks into. Thread: any.
#pragma once

#include <cstddef>
#include <expected>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include "detail/decoder.hpp"
#include "reply_view.hpp"

namespace weir::redisq::resp {

struct decode_error {
    std::string reason;

    // "element 3: expected a text, got an integer".
    [[nodiscard]] const std::string& message() const noexcept { return reason; }
};

// One field of a struct, by its name in the reply.
template <class T>
struct field {
    field(std::string_view name_in_reply, T& destination) noexcept
        : name(name_in_reply), into(&destination) {}

    std::string_view name;
    T* into;
};

template <class T>
concept has_decode_fields = requires(T& into) { decode_fields(into); };

// decode() into a T that is there, and fresh. False: it does not fit, `why` tells, and what `out`
// holds is of no use.
template <class T>
[[nodiscard]] bool decode_into(reply_view view, T& out, decode_error& why) {
    return detail::decoder<T>::read(view, out, why.reason);
}

template <class T>
[[nodiscard]] std::expected<T, decode_error> decode(reply_view view) {
    decode_error error;
    if constexpr (std::is_void_v<T>) {
        if (view.is_error()) {
            detail::wrong_type(error.reason, view, "no error");
            return std::unexpected(std::move(error));
        }
        return {};
    } else {
        std::expected<T, decode_error> out;
        if (!decode_into(view, *out, error)) [[unlikely]] {
            out = std::unexpected(std::move(error));
        }
        return out;
    }
}

namespace detail {

template <class T>
inline constexpr bool may_be_missing = false;
template <class T>
inline constexpr bool may_be_missing<std::optional<T>> = true;

template <has_decode_fields T>
struct decoder<T> {
    static std::string name() { return "pairs of names and values"; }
    static bool read(reply_view view, T& out, std::string& why) {
        if (!view.is_aggregate() || view.size() % 2 != 0) {
            return wrong_type(why, view, name());
        }
        return std::apply(
            [&](const auto&... fields) { return (read_field(view, fields, why) && ...); },
            decode_fields(out));
    }

  private:
    template <class Field>
    static bool read_field(reply_view view, const field<Field>& wanted, std::string& why) {
        for (auto at = view.begin(); at != view.end(); ++at) {
            const bool found = is_string(*at) && (*at).text() == wanted.name;
            ++at;
            if (found) {
                return decoder<Field>::read(*at, *wanted.into, why) || at_field(why, wanted.name);
            }
        }
        return may_be_missing<Field> || at_field(why, wanted.name);
    }
};

}  // namespace detail

}  // namespace weir::redisq::resp
