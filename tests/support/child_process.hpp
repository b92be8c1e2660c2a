// What a test does to a process of its own, the child of an EXPECT_EXIT, because nothing undoes it.
//
//     EXPECT_EXIT({ test::refuse_system_call(__NR_io_uring_setup, EPERM); ... }, ...);
//
// A failure to set things up ends the process with the code `cannot_prepare`.
#pragma once

namespace weir::test {

inline constexpr int cannot_prepare = 77;

// Every later call of system call `number` fails with `error`.
void refuse_system_call(long number, int error);

// This process becomes an ordinary user, of whom there is no other process, with at most `bytes` of
// locked memory. Requires root: the rings of one user share that user's limit.
void become_user_with_locked_memory(unsigned long bytes);

}  // namespace weir::test
