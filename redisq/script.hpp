// script: Lua that the server runs, known to it by its hash.
//
//     static const weir::redisq::script take("return redis.call('DECRBY', KEYS[1], ARGV[1])");
//     const auto left = co_await redis.run<int>(take, weir::redisq::keys("tokens"), 3);
//
// Only the hash is sent (EVALSHA); a server that does not hold the script, after a restart or
// SCRIPT FLUSH, is sent the text, once (EVAL). Nothing is run twice by that: a script that the
// server does not hold has not begun.
//
// Keys are what the script touches by KEYS, given apart so that a cluster finds their node.
//
// Lifetime: a script outlives the awaits that run it; usually it is static.
// Source: https://redis.io/docs/latest/develop/programmability/eval-intro/. Thread: any; a value.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

#include "resp/encoder.hpp"

namespace weir::redisq {

class script {
  public:
    explicit script(std::string text);

    [[nodiscard]] const std::string& text() const noexcept { return text_; }
    // SHA-1 of the text, 40 characters.
    [[nodiscard]] std::string_view hash() const noexcept { return {hash_.data(), hash_.size()}; }

  private:
    std::string text_;
    std::array<char, 40> hash_;
};

// The keys of a script: texts, or ranges of texts. Refers to what it is made of.
template <class... Keys>
class key_list {
  public:
    explicit key_list(const Keys&... names) noexcept : names_(names...) {}

    [[nodiscard]] std::size_t size() const {
        return std::apply(
            [](const Keys&... names) {
                return (std::size_t{0} + ... + resp::detail::count_words(names));
            },
            names_);
    }
    [[nodiscard]] const std::tuple<const Keys&...>& names() const noexcept { return names_; }

  private:
    std::tuple<const Keys&...> names_;
};

template <class... Keys>
[[nodiscard]] key_list<Keys...> keys(const Keys&... names) noexcept {
    return key_list<Keys...>(names...);
}

}  // namespace weir::redisq
