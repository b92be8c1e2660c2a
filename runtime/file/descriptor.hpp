// file_descriptor: owns an open file descriptor and closes it when it dies.
//
//     const weir::file_descriptor null_device(::open("/dev/null", O_RDWR | O_CLOEXEC));
//     if (!null_device) { report("no /dev/null"); }
//
// The destructor closes in place (close(2)): at once for sockets and pipes, and for files on disk,
// whose bytes are written out by sync() and not by closing. Errors of close(2) go unseen here;
// where they matter (files on network file systems), the owner's own close() reports them.
//
// Lifetime: outlives every operation that names the descriptor. One that has not been handed to the
// kernel yet would reach whoever got the same number next, so the end of a stopped operation is
// awaited before its descriptor goes; objects of the runtime see to that.
// Thread: any; one at a time.
#pragma once

#include <unistd.h>

#include <utility>

namespace weir {

class file_descriptor {
  public:
    file_descriptor() noexcept = default;

    // Owns `fd` from now on; a negative number stands for none, as system calls return it.
    explicit file_descriptor(int fd) noexcept : fd_(fd < 0 ? none : fd) {}

    file_descriptor(file_descriptor&& other) noexcept : fd_(other.release()) {}
    file_descriptor& operator=(file_descriptor&& other) noexcept {
        if (this != &other) {
            reset(other.release());
        }
        return *this;
    }
    ~file_descriptor() { reset(); }

    // -1 where there is none.
    [[nodiscard]] int get() const noexcept { return fd_; }
    [[nodiscard]] explicit operator bool() const noexcept { return fd_ != none; }

    // Gives the descriptor up: closing it is the caller's from now on.
    [[nodiscard]] int release() noexcept { return std::exchange(fd_, none); }

    // Closes what is owned, if anything, and owns `fd`.
    void reset(int fd = none) noexcept {
        const int previous = std::exchange(fd_, fd < 0 ? none : fd);
        if (previous != none) {
            // Linux frees the number whatever it returns, so there is nothing to repeat (close(2)).
            static_cast<void>(::close(previous));
        }
    }

  private:
    static constexpr int none = -1;

    int fd_ = none;
};

}  // namespace weir
