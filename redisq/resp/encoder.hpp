// command_buffer: commands as bytes, to be sent.
//
//     weir::redisq::resp::command_buffer commands;
//     commands.add("SET", "greeting", "hello", "EX", 60);
//     commands.add("MGET", std::vector<std::string>{"a", "b"});
//     send(commands.bytes());
//
// Arguments are texts, bytes (contiguous ranges of std::byte or unsigned char), whole numbers,
// floating point numbers (the shortest form that reads back the same), and ranges, pairs and tuples
// of these, which are flattened. Each becomes a bulk string of its exact length: no value can be
// taken for another argument or command. A bool, a character, an optional and a null pointer are
// refused at compile time. A type of its own takes part by resp_argument(value) in its namespace.
//
// The first words of a command may be encoded when the program is compiled:
//
//     static constexpr weir::redisq::resp::static_command<"XADD", "jobs", "*"> add_job;
//     commands.add(add_job, "payload", text);
//
// Memory: a warm buffer allocates nothing; clear() keeps up to bytes_kept_max.
// Errors: std::length_error for a command of more than 1,048,576 words, the server's limit, or of
// more than 4 GiB; std::bad_alloc. The buffer is then as it was.
// Thread: one.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

#include "detail/argument.hpp"

namespace weir::redisq::resp {

// A text as a template argument.
template <std::size_t Size>
struct fixed_text {
    // NOLINTNEXTLINE(google-explicit-constructor): written as a plain literal
    consteval fixed_text(const char (&literal)[Size]) { std::copy_n(literal, Size, characters); }
    [[nodiscard]] constexpr std::string_view view() const noexcept {
        return {characters, Size - 1};
    }

    char characters[Size];
};

// The first words of a command, encoded by the compiler.
template <fixed_text... Words>
struct static_command {
    static_assert(sizeof...(Words) != 0, "a command has a name");

    static constexpr std::size_t words = sizeof...(Words);
    static constexpr std::size_t size =
        (std::size_t{0} + ... + (Words.view().size() + detail::word_overhead));

    // Words of at most 99 bytes have a length of one or two digits.
    static_assert(((Words.view().size() < 100) && ...), "a fixed word has at most 99 bytes");

    struct encoded_words {
        std::array<char, size> bytes{};
        std::size_t length = 0;
    };
    static constexpr encoded_words encoded = [] {
        encoded_words out;
        const auto put = [&out](char c) { out.bytes[out.length++] = c; };
        const auto put_word = [&put](std::string_view word) {
            put('$');
            if (word.size() >= 10) {
                put(static_cast<char>('0' + word.size() / 10));
            }
            put(static_cast<char>('0' + word.size() % 10));
            put('\r');
            put('\n');
            for (const char c : word) {
                put(c);
            }
            put('\r');
            put('\n');
        };
        (put_word(Words.view()), ...);
        return out;
    }();
};

class command_buffer {
  public:
    static constexpr std::size_t words_max = 1'048'576;
    static constexpr std::size_t bytes_kept_max = std::size_t{4} << 20;

    command_buffer() noexcept = default;
    command_buffer(command_buffer&& other) noexcept { swap(other); }
    command_buffer& operator=(command_buffer&& other) noexcept {
        command_buffer taken(std::move(other));
        swap(taken);
        return *this;
    }
    ~command_buffer() = default;

    // Appends one command: its name, then its arguments.
    template <class Name, class... Arguments>
    void add(const Name& command, const Arguments&... arguments) {
        (detail::check_argument<Arguments>(), ...);
        if constexpr (requires { Name::encoded; }) {
            add_measured(command, detail::measured(arguments)...);
        } else {
            static_assert(detail::text_word<Name>, "a command begins with its name, a text");
            add_measured(detail::measured(command), detail::measured(arguments)...);
        }
    }

    // Appends what is encoded already.
    void append(const command_buffer& other) { add_raw(other.bytes(), other.commands()); }
    void add_raw(std::span<const std::byte> encoded, std::size_t commands);

    [[nodiscard]] std::span<const std::byte> bytes() const noexcept {
        return {reinterpret_cast<const std::byte*>(block_.get()), size_};
    }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
    [[nodiscard]] std::size_t commands() const noexcept { return commands_; }
    [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }

    // Takes back what was appended since size() and commands() were these.
    void take_back(std::size_t size, std::size_t commands) noexcept {
        size_ = size;
        commands_ = commands;
    }
    // Keeps the memory, unless it is more than bytes_kept_max.
    void clear() noexcept {
        size_ = 0;
        commands_ = 0;
        if (capacity_ > bytes_kept_max) [[unlikely]] {
            block_.reset();
            capacity_ = 0;
        }
    }
    // The same, and no byte of what stood here is left in its memory: for passwords. What has grown
    // since they were added has left a copy behind.
    void wipe() noexcept;
    // Room for `bytes` in all, without another allocation.
    void reserve(std::size_t bytes);
    void swap(command_buffer& other) noexcept {
        block_.swap(other.block_);
        std::swap(size_, other.size_);
        std::swap(capacity_, other.capacity_);
        std::swap(commands_, other.commands_);
    }

  private:
    static constexpr std::size_t header_bytes_max = 1 + 10 + 2;

    template <class Name, class... Arguments>
    void add_measured(const Name& command, const Arguments&... arguments) {
        const std::size_t words = (words_of(command) + ... + detail::count_words(arguments));
        const std::size_t bound =
            ((header_bytes_max + bytes_of(command)) + ... + detail::bound_bytes(arguments));
        char* const begin = room_for(words, bound);
        char* out = write_name(detail::write_length(begin, '*', words), command);
        ((out = detail::write_argument(out, arguments)), ...);
        size_ += static_cast<std::size_t>(out - begin);
        ++commands_;
    }

    template <class Name>
    static constexpr std::size_t words_of(const Name& /*command*/) noexcept {
        if constexpr (requires { Name::encoded; }) {
            return Name::words;
        } else {
            return 1;
        }
    }
    template <class Name>
    static constexpr std::size_t bytes_of(const Name& command) noexcept {
        if constexpr (requires { Name::encoded; }) {
            return Name::size;
        } else {
            return detail::bound_bytes(command);
        }
    }
    template <class Name>
    static char* write_name(char* out, const Name& command) noexcept {
        if constexpr (requires { Name::encoded; }) {
            std::memcpy(out, Name::encoded.bytes.data(), Name::encoded.length);
            return out + Name::encoded.length;
        } else {
            return detail::write_argument(out, command);
        }
    }

    char* room_for(std::size_t words, std::size_t bound) {
        if (words > words_max || bound > capacity_ - size_) [[unlikely]] {
            grow(words, bound);
        }
        return block_.get() + size_;
    }
    void grow(std::size_t words, std::size_t bound);

    std::unique_ptr<char[]> block_;
    std::size_t size_ = 0;
    std::size_t capacity_ = 0;
    std::size_t commands_ = 0;
};

}  // namespace weir::redisq::resp
