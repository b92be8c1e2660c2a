// Errors of the pool.
//
//     try {
//         co_await p.post(fetch, url);
//     } catch (const weir::pool_error& error) {
//         closed = error.error() == weir::pool_errc::closed;
//     }
//
// What waits in a pool throws pool_error (or weir::canceled when its task was stopped); try_submit
// and try_submit_from_thread return the bare code.
#pragma once

#include <stdexcept>
#include <system_error>

#include "../runtime/result.hpp"

namespace weir {

enum class pool_errc {
    full = 1,        // no free slot, no place in the queue, or somebody waits already
    closed,          // close(), drain() or stop() came first
    would_deadlock,  // the wait could only end after who waits, or may keep a loop from running
    admission_timed_out,  // no place was free within admit_within
    expired,              // not started within start_within (or finish_within): the body never ran
};

// The category of pool_errc; its name is "weir.pool".
const std::error_category& pool_category() noexcept;

std::error_code make_error_code(pool_errc code) noexcept;

// weir::timed_out of a job whose finish_within passed; its text names pool and job.
class job_timed_out final : public timed_out {
  public:
    // Throws std::bad_alloc.
    job_timed_out(const char* pool_name, const char* job_name);
    [[nodiscard]] const char* what() const noexcept override { return text_.what(); }

  private:
    std::runtime_error text_;  // whose copies do not throw
};

class pool_error : public std::system_error {
  public:
    pool_error(pool_errc code, const char* pool_name);

    [[nodiscard]] pool_errc error() const noexcept {
        return static_cast<pool_errc>(code().value());
    }
};

}  // namespace weir

template <>
struct std::is_error_code_enum<weir::pool_errc> : std::true_type {};
