#include "sample_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <system_error>
#include <vector>

#include "options.hpp"

namespace files {
namespace {

constexpr std::uint64_t chunk_blocks = 256;

[[noreturn]] void fail(const std::string& what) {
    throw std::system_error(errno, std::generic_category(), what);
}

void number_blocks(std::vector<std::byte>& chunk, std::uint64_t first) {
    for (std::uint64_t block = 0; block < chunk.size() / block_bytes; ++block) {
        const std::uint64_t index = first + block;
        std::memcpy(chunk.data() + block * block_bytes, &index, sizeof index);
    }
}

// False at the end of the file.
bool fill_from(int fd, std::vector<std::byte>& chunk, const std::string& path) {
    std::size_t have = 0;
    while (have < chunk.size()) {
        const ssize_t count = read(fd, chunk.data() + have, chunk.size() - have);
        if (count < 0) {
            fail(path);
        }
        if (count == 0) {
            chunk.resize(have);
            return have != 0;
        }
        have += static_cast<std::size_t>(count);
    }
    return true;
}

}  // namespace

sample_file::sample_file(const std::string& folder, std::uint64_t bytes)
    : path_(folder + "/weir_bench_files_" + std::to_string(getpid())), bytes_(bytes) {
    const int fd = open(path_.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
    if (fd < 0) {
        fail(path_);
    }
    try {
        fill(fd);
    } catch (...) {
        close(fd);
        unlink(path_.c_str());
        throw;
    }
    close(fd);
}

sample_file::~sample_file() { unlink(path_.c_str()); }

std::uint64_t sample_file::blocks() const { return bytes_ / block_bytes; }

void sample_file::fill(int fd) const {
    std::vector<std::byte> chunk(chunk_blocks * block_bytes, std::byte{0x5A});
    for (std::uint64_t first = 0; first < blocks(); first += chunk_blocks) {
        chunk.resize(std::min(chunk_blocks, blocks() - first) * block_bytes);
        number_blocks(chunk, first);
        for (std::size_t done = 0; done < chunk.size();) {
            const ssize_t count = write(fd, chunk.data() + done, chunk.size() - done);
            if (count < 0) {
                fail(path_);
            }
            done += static_cast<std::size_t>(count);
        }
    }
    // Whoever is measured first would otherwise share the disk with what is written back.
    if (fdatasync(fd) != 0) {
        fail(path_);
    }
}

void sample_file::check_and_remove_copy(const std::string& path) const {
    const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        fail(path);
    }
    unlink(path.c_str());
    std::uint64_t seen = 0;
    bool same = true;
    std::vector<std::byte> chunk(chunk_blocks * block_bytes);
    std::vector<std::byte> expected(chunk.size(), std::byte{0x5A});
    while (fill_from(fd, chunk, path)) {
        number_blocks(expected, seen / block_bytes);
        same = same && std::ranges::equal(chunk, std::span(expected).first(chunk.size()));
        seen += chunk.size();
    }
    close(fd);
    if (!same || seen != bytes_) {
        throw std::runtime_error(path + " is not a copy: it has " + std::to_string(seen) + " of " +
                                 std::to_string(bytes_) + " bytes" +
                                 (same ? "" : ", and others than the original"));
    }
}

bool is_block(std::span<const std::byte> block, std::uint64_t index) {
    std::uint64_t found = 0;
    std::memcpy(&found, block.data(), sizeof found);
    return found == index && block.size() == block_bytes && block.back() == std::byte{0x5A};
}

}  // namespace files
