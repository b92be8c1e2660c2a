// How the payload of a job becomes bytes and back: JSON, MessagePack or bytes as they are.
//
//     struct resize { std::string url; int width = 0; };
//     NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(resize, url, width)
//     std::string bytes;
//     weir::redisq::json_payload::encode(bytes, resize{"a.png", 128});
//     const auto back = weir::redisq::json_payload::decode<resize>(bytes);
//
// A payload is data and never code. What comes from Redis is refused, as redisq::exception with
// job_errc::bad_payload, when it is malformed, nested deeper than payload_depth_max, repeats a key,
// is not valid UTF-8, or does not fit the type; what goes there, when it holds a number that JSON
// cannot write (NaN, infinity) or text that is not UTF-8. The messages tell where, never what.
//
// A codec of one's own has the same three members: format, encode, decode.
// Thread: any.
#pragma once

#include <concepts>
#include <cstddef>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "envelope.hpp"
#include "errors.hpp"

namespace weir::redisq {

inline constexpr std::size_t payload_depth_max = 32;

// The payload of a job that has none.
struct no_payload {};

namespace detail {

// Throw redisq::exception with job_errc::bad_payload.
[[nodiscard]] nlohmann::json parse_json_payload(std::string_view bytes);
[[nodiscard]] nlohmann::json parse_messagepack_payload(std::string_view bytes);
void write_json_payload(std::string& out, const nlohmann::json& value);
void write_messagepack_payload(std::string& out, const nlohmann::json& value);
// Inside a catch: what a conversion threw becomes a redisq::exception.
[[noreturn]] void throw_bad_payload();

template <class T>
T from_payload(const nlohmann::json& value) {
    try {
        return value.get<T>();
    } catch (...) {
        throw_bad_payload();
    }
}

template <class T>
nlohmann::json to_payload(const T& value) {
    try {
        return nlohmann::json(value);
    } catch (...) {
        throw_bad_payload();
    }
}

template <class T>
concept byte_container =
    std::same_as<T, std::string> || std::same_as<T, std::string_view> ||
    std::same_as<T, std::vector<std::byte>> || std::same_as<T, std::span<const std::byte>>;

}  // namespace detail

struct json_payload {
    static constexpr payload_format format = payload_format::json;

    // Appends.
    template <class T>
    static void encode(std::string& out, const T& value) {
        if constexpr (!std::same_as<T, no_payload>) {
            detail::write_json_payload(out, detail::to_payload(value));
        }
    }
    template <class T>
    static T decode(std::string_view bytes) {
        if constexpr (std::same_as<T, no_payload>) {
            return {};
        } else {
            return detail::from_payload<T>(detail::parse_json_payload(bytes));
        }
    }
};

struct messagepack_payload {
    static constexpr payload_format format = payload_format::messagepack;

    template <class T>
    static void encode(std::string& out, const T& value) {
        if constexpr (!std::same_as<T, no_payload>) {
            detail::write_messagepack_payload(out, detail::to_payload(value));
        }
    }
    template <class T>
    static T decode(std::string_view bytes) {
        if constexpr (std::same_as<T, no_payload>) {
            return {};
        } else {
            return detail::from_payload<T>(detail::parse_messagepack_payload(bytes));
        }
    }
};

// std::string, std::vector<std::byte>, or as views, which live until the handler's task has ended.
struct raw_payload {
    static constexpr payload_format format = payload_format::raw;

    template <class T>
    static void encode(std::string& out, const T& value) {
        if constexpr (!std::same_as<T, no_payload>) {
            static_assert(detail::byte_container<T>, "raw payloads are strings or bytes");
            out.append(reinterpret_cast<const char*>(std::data(value)), std::size(value));
        }
    }
    template <class T>
    static T decode(std::string_view bytes) {
        if constexpr (std::same_as<T, no_payload>) {
            return {};
        } else {
            static_assert(detail::byte_container<T>, "raw payloads are strings or bytes");
            const auto* const begin = reinterpret_cast<const typename T::value_type*>(bytes.data());
            return T(begin, begin + bytes.size());
        }
    }
};

// A type by name, for messages: "json", "messagepack", "raw".
[[nodiscard]] std::string_view format_name(payload_format format) noexcept;

}  // namespace weir::redisq
