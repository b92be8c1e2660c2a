// How one argument of a command becomes bulk strings.
//
// A word is what is one bulk string; everything else is a sequence of arguments. An encoder of a
// type counts its words, bounds their bytes and writes them.
//
// Thread: any.
#pragma once

#include <charconv>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <ranges>
#include <span>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace weir::redisq::resp::detail {

template <class T>
inline constexpr bool is_character =
    std::is_same_v<T, char> || std::is_same_v<T, wchar_t> || std::is_same_v<T, char8_t> ||
    std::is_same_v<T, char16_t> || std::is_same_v<T, char32_t>;

template <class T>
concept text_word = std::convertible_to<const T&, std::string_view> &&
                    !std::is_same_v<std::remove_cvref_t<T>, std::nullptr_t>;

template <class T>
concept number_word = std::is_arithmetic_v<T> && !std::is_same_v<T, bool> && !is_character<T>;

// Contiguous std::byte or unsigned char: a value, not a list of numbers.
template <class T>
concept bytes_word =
    !text_word<T> && std::ranges::contiguous_range<const T> && std::ranges::sized_range<const T> &&
    (std::is_same_v<std::ranges::range_value_t<const T>, std::byte> ||
     std::is_same_v<std::ranges::range_value_t<const T>, unsigned char> ||
     std::is_same_v<std::ranges::range_value_t<const T>, char>);

template <class T>
concept word = text_word<T> || number_word<T> || bytes_word<T>;

template <class T>
concept range_of_words = !word<T> && std::ranges::forward_range<const T>;

template <class T>
concept tuple_of_words =
    !word<T> && !range_of_words<T> && requires { std::tuple_size<std::remove_cvref_t<T>>::value; };

// A type of its own may say what stands for it: resp_argument(value), found in its namespace, gives
// a word, a range or a tuple that lives as long as the value or owns what it shows.
template <class T>
concept customized = requires(const T& value) { resp_argument(value); };

template <class T>
[[nodiscard]] constexpr std::string_view word_bytes(const T& value) noexcept {
    if constexpr (text_word<T>) {
        return value;
    } else {
        return {reinterpret_cast<const char*>(std::ranges::data(value)), std::ranges::size(value)};
    }
}

// A text as the view of its characters, so that a C string is measured once; all else as it is.
template <class T>
[[nodiscard]] constexpr decltype(auto) measured(const T& value) noexcept {
    if constexpr (!text_word<T>) {
        return static_cast<const T&>(value);
    } else {
        return std::string_view(value);
    }
}

// The same for an array of characters, up to its first NUL. A short one, which is a command's name
// as a rule, is cheaper to look through here than by a call.
template <std::size_t Size>
[[nodiscard]] constexpr std::string_view measured(const char (&text)[Size]) noexcept {
    if constexpr (Size > 16) {
        return text;
    } else {
        std::size_t length = 0;
        while (length != Size && text[length] != '\0') {
            ++length;
        }
        return {text, length};
    }
}

// "$", a length, CR LF; behind the text CR LF. A number has at most 24 characters (a double's
// shortest form).
inline constexpr std::size_t word_overhead = 1 + 10 + 2 + 2;
inline constexpr std::size_t number_bytes_max = 32;

template <class T>
[[nodiscard]] constexpr std::size_t count_words(const T& value) {
    if constexpr (word<T>) {
        return 1;
    } else if constexpr (customized<T>) {
        return count_words(resp_argument(value));
    } else if constexpr (range_of_words<T>) {
        using element = std::ranges::range_value_t<const T>;
        if constexpr (word<element> && std::ranges::sized_range<const T>) {
            return static_cast<std::size_t>(std::ranges::size(value));
        } else {
            std::size_t words = 0;
            for (const auto& each : value) {
                words += count_words(each);
            }
            return words;
        }
    } else {
        return std::apply(
            [](const auto&... each) { return (std::size_t{0} + ... + count_words(each)); }, value);
    }
}

// At least what writing it takes.
template <class T>
[[nodiscard]] constexpr std::size_t bound_bytes(const T& value) {
    if constexpr (number_word<T>) {
        return word_overhead + number_bytes_max;
    } else if constexpr (word<T>) {
        return word_overhead + word_bytes(value).size();
    } else if constexpr (customized<T>) {
        return bound_bytes(resp_argument(value));
    } else if constexpr (range_of_words<T>) {
        std::size_t bytes = 0;
        for (const auto& each : value) {
            bytes += bound_bytes(each);
        }
        return bytes;
    } else {
        return std::apply(
            [](const auto&... each) { return (std::size_t{0} + ... + bound_bytes(each)); }, value);
    }
}

[[nodiscard]] inline char* write_line_end(char* out) noexcept {
    out[0] = '\r';
    out[1] = '\n';
    return out + 2;
}

// `mark`, the number, CR LF: at most 13 bytes.
[[nodiscard]] inline char* write_length(char* out, char mark, std::size_t length) noexcept {
    *out++ = mark;
    if (length < 10) {
        *out++ = static_cast<char>('0' + length);
    } else if (length < 100) {
        *out++ = static_cast<char>('0' + length / 10);
        *out++ = static_cast<char>('0' + length % 10);
    } else {
        out = std::to_chars(out, out + 10, length).ptr;
    }
    return write_line_end(out);
}

[[nodiscard]] inline char* write_word(char* out, std::string_view text) noexcept {
    out = write_length(out, '$', text.size());
    if (!text.empty()) {
        std::memcpy(out, text.data(), text.size());
    }
    return write_line_end(out + text.size());
}

template <class T>
[[nodiscard]] char* write_argument(char* out, const T& value) {
    if constexpr (number_word<T>) {
        char digits[number_bytes_max];
        const char* const end = std::to_chars(digits, digits + number_bytes_max, value).ptr;
        return write_word(out, {digits, static_cast<std::size_t>(end - digits)});
    } else if constexpr (word<T>) {
        return write_word(out, word_bytes(value));
    } else if constexpr (customized<T>) {
        return write_argument(out, resp_argument(value));
    } else if constexpr (range_of_words<T>) {
        for (const auto& each : value) {
            out = write_argument(out, each);
        }
        return out;
    } else {
        std::apply([&out](const auto&... each) { ((out = write_argument(out, each)), ...); },
                   value);
        return out;
    }
}

template <class T>
inline constexpr bool is_optional = requires(const T& value) {
    value.has_value();
    *value;
};

// One message for each way to go wrong.
template <class T>
consteval void check_argument() {
    using plain = std::remove_cvref_t<T>;
    static_assert(!std::is_same_v<plain, bool>,
                  "a bool is no argument of a command: write 0 or 1, or the word that the command "
                  "knows");
    static_assert(!is_character<plain>, "a character is no argument of a command: write a text");
    static_assert(!is_optional<plain>,
                  "an optional is no argument of a command: leave the argument out yourself");
    static_assert(!std::is_null_pointer_v<plain>, "a null pointer is no argument of a command");
    static_assert(!std::is_pointer_v<plain> || text_word<plain>,
                  "a pointer to anything but characters is no argument of a command");
    if constexpr (!word<plain> && !customized<plain>) {
        static_assert(range_of_words<plain> || tuple_of_words<plain>,
                      "an argument of a command is a text, bytes, a number, or a range, pair or "
                      "tuple of those; for a type of your own define resp_argument(value)");
        if constexpr (range_of_words<plain>) {
            check_argument<std::ranges::range_value_t<const plain>>();
        } else if constexpr (tuple_of_words<plain>) {
            []<std::size_t... I>(std::index_sequence<I...>) {
                (check_argument<std::tuple_element_t<I, plain>>(), ...);
            }(std::make_index_sequence<std::tuple_size_v<plain>>());
        }
    }
}

}  // namespace weir::redisq::resp::detail
