// Entries of one stream that are done: what XDEL and XACK are to be told, encoded as they come.
//
// Thread: one.
#pragma once

#include <charconv>
#include <cstddef>
#include <string>
#include <string_view>

#include "../../resp/encoder.hpp"
#include "../keys.hpp"

namespace weir::redisq::detail {

class ack_list {
  public:
    [[nodiscard]] bool empty() const noexcept { return count_ == 0; }
    [[nodiscard]] std::size_t count() const noexcept { return count_; }
    [[nodiscard]] bool has(std::string_view entry) const noexcept {
        return words_.find("\r\n" + std::string(entry) + "\r\n") != std::string::npos;
    }

    void add(std::string_view entry) {
        put_word(words_, entry);
        ++count_;
    }

    // Appends XDEL and XACK to `out`: two commands. XDEL first: an entry that is gone and still
    // pending is found and acknowledged by whoever reaps; the other way round nobody would see it.
    void encode(resp::command_buffer& out, std::string& scratch, std::string_view stream) const {
        scratch.clear();
        put_head(scratch, count_ + 2);
        put_word(scratch, "XDEL");
        put_word(scratch, stream);
        scratch += words_;
        put_head(scratch, count_ + 3);
        put_word(scratch, "XACK");
        put_word(scratch, stream);
        put_word(scratch, job_group);
        scratch += words_;
        out.add_raw(std::as_bytes(std::span(scratch)), 2);
    }

    void clear() noexcept {
        words_.clear();
        count_ = 0;
    }
    void swap(ack_list& other) noexcept {
        words_.swap(other.words_);
        std::swap(count_, other.count_);
    }

  private:
    static void put_number(std::string& out, char mark, std::size_t number) {
        char digits[20];
        const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
        out += mark;
        out.append(digits, end);
        out += "\r\n";
    }
    static void put_head(std::string& out, std::size_t words) { put_number(out, '*', words); }
    static void put_word(std::string& out, std::string_view word) {
        put_number(out, '$', word.size());
        out += word;
        out += "\r\n";
    }

    std::string words_;
    std::size_t count_ = 0;
};

}  // namespace weir::redisq::detail
