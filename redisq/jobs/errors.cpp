#include "errors.hpp"

namespace weir::redisq {
namespace {

const char* meaning(job_errc code) {
    switch (code) {
        case job_errc::payload_too_large:
            return "the payload is larger than the queue allows";
        case job_errc::bad_payload:
            return "the payload does not fit the job's type";
        case job_errc::damaged_envelope:
            return "the entry is no envelope of a job";
        case job_errc::unknown_version:
            return "the envelope is of a version that this program does not know";
        case job_errc::queue_full:
            return "the queue is full";
        case job_errc::dead:
            return "the job was given up";
        case job_errc::canceled:
            return "the job was canceled";
        case job_errc::result_timed_out:
            return "no result in time; the job may still end";
        case job_errc::no_result:
            return "the job has no result, or it is kept no longer";
        case job_errc::lease_lost:
            return "the worker lost its lease";
        case job_errc::pickled:
            return "a pickle runs code when it is read, and is refused";
    }
    return nullptr;
}

class job_category_type final : public std::error_category {
  public:
    [[nodiscard]] const char* name() const noexcept override { return "weir.redisq.jobs"; }

    [[nodiscard]] std::string message(int value) const override {
        const char* const known = meaning(static_cast<job_errc>(value));
        return known != nullptr ? known
                                : "unknown error " + std::to_string(value) + " of weir.redisq.jobs";
    }
};

}  // namespace

const std::error_category& job_category() noexcept {
    static const job_category_type instance;
    return instance;
}

std::error_code make_error_code(job_errc code) noexcept {
    return {static_cast<int>(code), job_category()};
}

}  // namespace weir::redisq
