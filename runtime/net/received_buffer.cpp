#include "received_buffer.hpp"

#include "detail/receiver.hpp"

namespace weir {

void received_buffer::give_back() noexcept {
    detail::receiver* const from = std::exchange(from_, nullptr);
    bytes_ = {};
    from->give_back(buffer_);
    from->release();
}

}  // namespace weir
