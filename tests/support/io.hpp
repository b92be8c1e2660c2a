// Byte I/O for tests of the runtime itself: pipes, and awaitable reads and writes that show the
// state of their operation.
//
// Thread: one loop's.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <iterator>
#include <system_error>
#include <utility>

#include <weir/runtime/detail/io_awaiter.hpp>

namespace weir::test {

// Owns a file descriptor.
class descriptor {
  public:
    descriptor() noexcept = default;
    explicit descriptor(int fd) : fd_(fd) {
        if (fd < 0) {
            throw std::system_error(errno, std::system_category(), "descriptor");
        }
    }
    descriptor(descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    descriptor& operator=(descriptor&& other) noexcept {
        std::swap(fd_, other.fd_);
        return *this;
    }
    ~descriptor() { reset(); }

    [[nodiscard]] int get() const noexcept { return fd_; }
    void reset() noexcept {
        if (fd_ >= 0) {
            ::close(std::exchange(fd_, -1));
        }
    }

  private:
    int fd_ = -1;
};

// How many descriptors this process has open.
inline std::size_t open_descriptors() {
    const std::filesystem::directory_iterator all("/proc/self/fd");
    return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

// A pipe(2): what is written to `in` is read from `out`.
struct pipe_pair {
    pipe_pair() {
        int ends[2];
        if (pipe2(ends, O_CLOEXEC) != 0) {
            throw std::system_error(errno, std::system_category(), "pipe2");
        }
        out = descriptor(ends[0]);
        in = descriptor(ends[1]);
    }

    // From any thread; a byte that fits.
    void put(char byte) const {
        if (::write(in.get(), &byte, 1) != 1) {
            throw std::system_error(errno, std::system_category(), "write");
        }
    }

    descriptor out;
    descriptor in;
};

// One read or write through the loop's driver.
class [[nodiscard]] io_probe : public detail::io_awaiter {
  public:
    io_probe(io_opcode opcode, int fd, void* address, std::uint32_t length) noexcept {
        request.opcode = opcode;
        request.fd = fd;
        request.address = address;
        request.length = length;
        request.offset = UINT64_MAX;
    }

    // Awaited by its name: it outlives the await, and tells its state meanwhile and afterwards.
    result<int> await_resume() const noexcept { return finish(); }

    [[nodiscard]] detail::operation_state operation_state() const noexcept { return state; }
};

// Reads one byte of `source` into `byte`; both outlive the task.
inline task<result<int>> read_byte(const pipe_pair* source, char* byte) {
    io_probe read(io_opcode::read, source->out.get(), byte, 1);
    co_return co_await read;
}

}  // namespace weir::test
