// The file that is read and copied: whole blocks, each opening with its own number, so that what is
// read says where it came from. Gone with this object.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace files {

class sample_file {
  public:
    // Writes it, which leaves it in the page cache. Throws std::system_error.
    sample_file(const std::string& folder, std::uint64_t bytes);
    sample_file(const sample_file&) = delete;
    sample_file& operator=(const sample_file&) = delete;
    ~sample_file();

    [[nodiscard]] const std::string& path() const { return path_; }
    [[nodiscard]] std::uint64_t blocks() const;

    // Throws std::runtime_error where the file at `path` is not the same, and removes it.
    void check_and_remove_copy(const std::string& path) const;

  private:
    void fill(int fd) const;

    std::string path_;
    std::uint64_t bytes_;
};

// Whether `block` is what stands in the file as number `index`.
[[nodiscard]] bool is_block(std::span<const std::byte> block, std::uint64_t index);

// The blocks to read, in an order that looks random and is the same for everyone: a linear
// congruential generator.
class block_order {
  public:
    block_order(std::uint64_t seed, std::uint64_t blocks) : state_(seed), blocks_(blocks) {}
    std::uint64_t next() {
        state_ = state_ * 6364136223846793005U + 1442695040888963407U;
        return (state_ >> 33) % blocks_;
    }

  private:
    std::uint64_t state_;
    std::uint64_t blocks_;
};

}  // namespace files
