// How a reply becomes a value: one decoder a type. See ../decode.hpp for what fits what.
//
// decoder<T>::read(view, out, why) fills `out`, or is false and says why. `out` is fresh.
// decoder<T>::name() is what error texts call the type.
//
// Thread: any.
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "../reply.hpp"
#include "../reply_view.hpp"

namespace weir::redisq::resp::detail {

// "expected WANTED, got a bulk string of 12 bytes". False, so that it can be returned.
bool wrong_type(std::string& why, reply_view got, std::string_view wanted);
// "expected WANTED, got an integer beyond its range".
bool out_of_range(std::string& why, std::string_view wanted);
// "element 3: " before what is there.
bool at_element(std::string& why, std::size_t index);
// "field 'name': " before what is there, or "field 'name' is missing" where nothing is.
bool at_field(std::string& why, std::string_view field);

// What the peer wrote, as a number: of an integer, a boolean, or a text that is one from its first
// character to its last.
enum class number_state : std::uint8_t { good, out_of_range, wrong_type };
number_state read_signed(reply_view view, std::int64_t& out) noexcept;
number_state read_unsigned(reply_view view, std::uint64_t& out) noexcept;
bool read_floating(reply_view view, double& out) noexcept;
bool read_boolean(reply_view view, bool& out) noexcept;

// Simple, bulk and verbatim strings and big numbers.
[[nodiscard]] inline bool is_string(reply_view view) noexcept {
    const type kind = view.kind();
    return kind == type::bulk_string || kind == type::simple_string ||
           kind == type::verbatim_string || kind == type::big_number;
}

template <class T>
struct decoder;

template <class T>
[[nodiscard]] std::string name_of() {
    return decoder<T>::name();
}

template <std::integral T>
    requires(!std::is_same_v<T, bool>)
struct decoder<T> {
    static std::string name() {
        return (std::is_signed_v<T> ? "an integer of " : "an unsigned integer of ") +
               std::to_string(8 * sizeof(T)) + " bits";
    }
    static bool read(reply_view view, T& out, std::string& why) {
        std::conditional_t<std::is_signed_v<T>, std::int64_t, std::uint64_t> number = 0;
        number_state state = number_state::wrong_type;
        if constexpr (std::is_signed_v<T>) {
            state = read_signed(view, number);
        } else {
            state = read_unsigned(view, number);
        }
        if (state == number_state::good && std::in_range<T>(number)) [[likely]] {
            out = static_cast<T>(number);
            return true;
        }
        return state == number_state::wrong_type ? wrong_type(why, view, name())
                                                 : out_of_range(why, name());
    }
};

template <std::floating_point T>
struct decoder<T> {
    static std::string name() { return "a floating point number"; }
    static bool read(reply_view view, T& out, std::string& why) {
        double number = 0;
        if (!read_floating(view, number)) {
            return wrong_type(why, view, name());
        }
        out = static_cast<T>(number);
        return true;
    }
};

template <>
struct decoder<bool> {
    static std::string name() { return "a boolean"; }
    static bool read(reply_view view, bool& out, std::string& why) {
        return read_boolean(view, out) || wrong_type(why, view, name());
    }
};

template <>
struct decoder<std::string> {
    static std::string name() { return "a text"; }
    static bool read(reply_view view, std::string& out, std::string& why) {
        if (!is_string(view)) [[unlikely]] {
            return wrong_type(why, view, name());
        }
        out = view.text();
        return true;
    }
};

template <>
struct decoder<std::string_view> {
    static std::string name() { return "a text"; }
    static bool read(reply_view view, std::string_view& out, std::string& why) {
        if (!is_string(view)) [[unlikely]] {
            return wrong_type(why, view, name());
        }
        out = view.text();
        return true;
    }
};

template <>
struct decoder<std::vector<std::byte>> {
    static std::string name() { return "bytes"; }
    static bool read(reply_view view, std::vector<std::byte>& out, std::string& why) {
        if (!is_string(view)) {
            return wrong_type(why, view, name());
        }
        const std::string_view text = view.text();
        const auto* const first = reinterpret_cast<const std::byte*>(text.data());
        out.assign(first, first + text.size());
        return true;
    }
};

template <>
struct decoder<reply_view> {
    static std::string name() { return "a reply"; }
    static bool read(reply_view view, reply_view& out, std::string& /*why*/) {
        out = view;
        return true;
    }
};

template <>
struct decoder<reply> {
    static std::string name() { return "a reply"; }
    static bool read(reply_view view, reply& out, std::string& /*why*/) {
        out = reply(view);
        return true;
    }
};

template <class T>
struct decoder<std::optional<T>> {
    static std::string name() { return name_of<T>() + " or a null"; }
    static bool read(reply_view view, std::optional<T>& out, std::string& why) {
        return view.is_null() || decoder<T>::read(view, out.emplace(), why);
    }
};

// What a list, a set or a map is filled from. The elements are there, so reserving is safe.
template <class Container>
void reserve_for(Container& out, std::size_t elements) {
    if constexpr (requires { out.reserve(elements); }) {
        out.reserve(elements);
    }
}

template <class T>
concept map_like = requires {
    typename T::key_type;
    typename T::mapped_type;
};
template <class T>
concept set_like = !map_like<T> && requires { typename T::key_type; };

template <class T>
inline constexpr bool is_pair = false;
template <class First, class Second>
inline constexpr bool is_pair<std::pair<First, Second>> = true;

template <class T>
concept list_like = requires(T list) {
    typename T::value_type;
    list.push_back(std::declval<typename T::value_type>());
} && !std::is_same_v<T, std::string> && !is_pair<typename T::value_type>;
template <class T>
concept pair_list = requires(T list) {
    typename T::value_type;
    list.emplace_back();
} && !std::is_same_v<T, std::string> && is_pair<typename T::value_type>;

// Elements one by one; of a map its keys and values by turns.
template <class T>
    requires list_like<T> || set_like<T>
struct decoder<T> {
    using element = typename T::value_type;

    static std::string name() {
        return (set_like<T> ? "a set of " : "a list of ") + name_of<element>();
    }
    static bool read(reply_view view, T& out, std::string& why) {
        if (!view.is_aggregate()) {
            return wrong_type(why, view, name());
        }
        reserve_for(out, view.size());
        std::size_t index = 0;
        for (const reply_view each : view) {
            if (!read_one(each, out, why)) {
                return at_element(why, index);
            }
            ++index;
        }
        return true;
    }

  private:
    static bool read_one(reply_view each, T& out, std::string& why) {
        if constexpr (list_like<T> && !std::is_same_v<element, bool>) {
            return decoder<element>::read(each, out.emplace_back(), why);
        } else {
            element value{};
            if (!decoder<element>::read(each, value, why)) {
                return false;
            }
            out.insert(out.end(), std::move(value));
            return true;
        }
    }
};

// A map, a list of keys and values by turns, or a list of lists of two.
template <class Key, class Value, class Put>
bool read_pairs(reply_view view, std::string& why, std::string (*wanted)(), Put put) {
    const bool nested = view.kind() != type::map && !view.empty() && (*view.begin()).is_aggregate();
    if (!view.is_aggregate() || (!nested && view.size() % 2 != 0)) {
        return wrong_type(why, view, wanted());
    }
    std::size_t index = 0;
    for (auto at = view.begin(); at != view.end(); ++at, ++index) {
        Key key{};
        Value value{};
        const reply_view first = *at;
        if (nested && first.size() != 2) {
            wrong_type(why, first, "a pair");
            return at_element(why, index);
        }
        const bool good = nested ? decoder<Key>::read(first[0], key, why) &&
                                       decoder<Value>::read(first[1], value, why)
                                 : decoder<Key>::read(first, key, why) &&
                                       (++index, decoder<Value>::read(*++at, value, why));
        if (!good) {
            return at_element(why, index);
        }
        put(std::move(key), std::move(value));
    }
    return true;
}

template <map_like T>
struct decoder<T> {
    using key = typename T::key_type;
    using value = typename T::mapped_type;

    static std::string name() { return "a map of " + name_of<key>() + " to " + name_of<value>(); }
    static bool read(reply_view view, T& out, std::string& why) {
        reserve_for(out, view.pairs());
        return read_pairs<key, value>(view, why, &name, [&out](key&& k, value&& v) {
            out.insert_or_assign(std::move(k), std::move(v));
        });
    }
};

template <pair_list T>
struct decoder<T> {
    using key = typename T::value_type::first_type;
    using value = typename T::value_type::second_type;

    static std::string name() { return "pairs of " + name_of<key>() + " and " + name_of<value>(); }
    static bool read(reply_view view, T& out, std::string& why) {
        reserve_for(out, view.pairs());
        return read_pairs<key, value>(view, why, &name, [&out](key&& k, value&& v) {
            out.emplace_back(std::move(k), std::move(v));
        });
    }
};

// Exactly so many elements.
template <class T>
concept fixed_size = requires { std::tuple_size<T>::value; };

template <fixed_size T>
struct decoder<T> {
    static constexpr std::size_t size = std::tuple_size_v<T>;

    static std::string name() { return std::to_string(size) + " elements"; }
    static bool read(reply_view view, T& out, std::string& why) {
        if (!view.is_aggregate() || view.size() != size) {
            return wrong_type(why, view, name());
        }
        auto at = view.begin();
        std::size_t index = 0;
        const auto read_next = [&]<class Element>(Element& element) {
            const bool good = decoder<Element>::read(*at, element, why) || at_element(why, index);
            ++at;
            ++index;
            return good;
        };
        return std::apply([&](auto&... elements) { return (read_next(elements) && ...); }, out);
    }
};

}  // namespace weir::redisq::resp::detail
