// The start of a small file of /proc, read without the heap: a sampler must not disturb the memory
// that it measures.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

namespace bench {

class proc_file {
  public:
    explicit proc_file(const char* path) {
        const int fd = ::open(path, O_RDONLY | O_CLOEXEC);
        if (fd >= 0) {
            const ssize_t count = ::read(fd, text_.data(), text_.size());
            size_ = count > 0 ? static_cast<std::size_t>(count) : 0;
            ::close(fd);
        }
    }

    [[nodiscard]] std::string_view text() const { return {text_.data(), size_}; }

    // What follows `label` on its line, without the blanks before it; empty without such a line.
    [[nodiscard]] std::string_view field(std::string_view label) const {
        const std::size_t at = text().find(label);
        if (at == std::string_view::npos) {
            return {};
        }
        std::string_view line = text().substr(at + label.size());
        line = line.substr(0, line.find('\n'));
        return line.substr(std::min(line.find_first_not_of("\t :"), line.size()));
    }

  private:
    std::array<char, 4096> text_;
    std::size_t size_ = 0;
};

// The whole number that `text` starts with; 0 where there is none.
[[nodiscard]] inline std::uint64_t number_at(std::string_view text) {
    std::uint64_t number = 0;
    for (const char c : text) {
        if (c < '0' || c > '9') {
            break;
        }
        number = number * 10 + static_cast<std::uint64_t>(c - '0');
    }
    return number;
}

}  // namespace bench
