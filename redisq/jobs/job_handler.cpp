#include "detail/job_handler.hpp"

namespace weir::redisq::detail {

task<> job_handler::run_batch(std::vector<job_context*> jobs,
                              std::vector<std::exception_ptr>* failed) const {
    for (std::size_t i = 0; i < jobs.size(); ++i) {
        try {
            co_await run(*jobs[i]);
        } catch (...) {
            (*failed)[i] = std::current_exception();
        }
    }
}

}  // namespace weir::redisq::detail
