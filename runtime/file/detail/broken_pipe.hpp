// Writes to pipes and sockets that nobody reads any more, without the SIGPIPE that ends a process.
//
// The kernel sends that signal to the thread that makes the write: to the loop's, while it is in
// io_uring_enter(2). Two ways keep it away:
//   RWF_NOSIGNAL (Linux 6.18) asks the kernel not to send it;
//   before that, a broken_pipe_guard blocks SIGPIPE in the loop's thread while a write is under
//   way, and takes the signal away that the write has caused. Nothing else of the process changes:
//   a handler stays, and the thread's other code gets its SIGPIPE.
// Which one is learnt from the first write of the process.
//
// Thread: the loop's.
#pragma once

#include <cstdint>

namespace weir::detail {

inline constexpr std::uint32_t rwf_nosignal = 0x100;  // of pwritev2(2), since Linux 6.18

enum class nosignal_support : std::uint8_t { unknown, yes, no };

// Of this kernel, as far as it was learnt.
[[nodiscard]] nosignal_support known_nosignal_support() noexcept;
void learn_nosignal_support(nosignal_support found) noexcept;

// Keeps SIGPIPE blocked in this thread while it lives. Guards may live at the same time and end in
// any order.
class broken_pipe_guard {
  public:
    // Does nothing where `needed` is false.
    explicit broken_pipe_guard(bool needed) noexcept;
    ~broken_pipe_guard();
    broken_pipe_guard(const broken_pipe_guard&) = delete;
    broken_pipe_guard& operator=(const broken_pipe_guard&) = delete;

    // Takes away the signal that a write which ended with EPIPE has caused.
    void swallow() const noexcept;

  private:
    bool active_;
};

}  // namespace weir::detail
