// What can go wrong with a job.
//
//     try {
//         report(co_await handle.result(20s));
//     } catch (const weir::redisq::exception& error) {
//         dead = error.code() == weir::redisq::job_errc::dead;
//     }
//
// Calls on queues, handles and workers throw redisq::exception with one of these codes, or with
// those of the server and of the way to it (../errors.hpp). The text names queue, type or option,
// and never holds a payload.
//
// Thread: any; all types are values.
#pragma once

#include <stdexcept>
#include <string>
#include <system_error>

#include "../errors.hpp"

namespace weir::redisq {

enum class job_errc {
    payload_too_large = 1,  // above the queue's limit; refused at submit and by workers
    bad_payload,            // does not fit its type: malformed, too deep, a number that is none
    damaged_envelope,       // the bytes of an entry are no envelope
    unknown_version,        // an envelope of a later version; left alone
    queue_full,             // at its limit, and the caller does not wait
    dead,                   // the job was given up; the message holds the reason
    canceled,               // somebody canceled it
    result_timed_out,       // no result within the time given; the job may still end
    no_result,              // there is none: not asked for, or kept no longer
    lease_lost,             // the worker was taken for dead; its jobs run elsewhere
    pickled                 // a pickle, which would run code when it is read
};

// The category of job_errc; its name is "weir.redisq.jobs".
const std::error_category& job_category() noexcept;

std::error_code make_error_code(job_errc code) noexcept;

// Thrown by a handler: the job goes to the dead at once, whatever its retry policy.
class give_up : public std::runtime_error {
  public:
    explicit give_up(const std::string& reason) : std::runtime_error(reason) {}
};

}  // namespace weir::redisq

template <>
struct std::is_error_code_enum<weir::redisq::job_errc> : std::true_type {};

namespace weir::redisq {

[[nodiscard]] inline exception job_exception(job_errc code, std::string detail) {
    return exception(error(make_error_code(code), std::move(detail)));
}

}  // namespace weir::redisq
