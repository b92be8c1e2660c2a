#include "detail/job_queue.hpp"
#include "../runtime/assert.hpp"
#include "detail/job.hpp"

namespace weir::detail {

job_queue::job_queue(std::size_t capacity)
    : capacity_(capacity),
      ring_size_(capacity == 0 ? 0 : capacity + capacity / 4 + 4),
      // Not initialised, so that places which are never used never take memory.
      places_(capacity == 0 ? nullptr : std::make_unique_for_overwrite<queue_place[]>(ring_size_)) {
}

void job_queue::push(job& queued) noexcept {
    queue_place& place = next_place();
    place.ops = nullptr;
    place.held = &queued;
    queued.set_position(static_cast<std::size_t>(&place - places_.get()));
}

void job_queue::remove(job& queued) noexcept {
    queue_place& place = places_[queued.position()];
    WEIR_ASSERT(place.ops == nullptr && place.held == &queued, "a queued job knows its place");
    place.held = nullptr;
    --size_;
}

void job_queue::close_gaps() noexcept {
    std::size_t to = head_;
    for (std::size_t step = 0, from = head_; step < span_; ++step, from = after(from)) {
        queue_place& source = places_[from];
        if (source.ops == nullptr && source.held == nullptr) {
            continue;
        }
        queue_place& target = places_[to];
        if (&source != &target) {
            target.ops = source.ops;
            target.id = source.id;
            if (source.ops != nullptr) {
                source.ops->move(source.closure, target.closure);
                source.ops->destroy(source.closure);
            } else {
                target.held = source.held;
                target.held->set_position(to);
            }
        }
        to = after(to);
    }
    tail_ = to;
    span_ = size_;
}

}  // namespace weir::detail
