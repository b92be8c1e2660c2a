#include "detail/post_surely.hpp"

#include <chrono>
#include <condition_variable>
#include <mutex>

namespace weir::detail {

void wait_for_memory() noexcept {
    std::mutex nobody_elses;
    std::condition_variable never;
    std::unique_lock lock(nobody_elses);
    never.wait_for(lock, std::chrono::milliseconds(1));
}

}  // namespace weir::detail
