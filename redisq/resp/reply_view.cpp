#include "reply_view.hpp"

#include "../../runtime/assert.hpp"

namespace weir::redisq::resp {

reply_view reply_view::operator[](std::size_t index) const noexcept {
    WEIR_ASSERT(index < size(), "the index of an element is less than size()");
    if (node_->span() == size() + 1) {
        return {node_ + 1 + index, base_};
    }
    iterator at = begin();
    while (index-- != 0) {
        ++at;
    }
    return *at;
}

std::optional<reply_view> reply_view::attributes() const noexcept {
    const detail::node* const before = node_ - 1;
    if (!before->is_attributes_end()) {
        return std::nullopt;
    }
    return reply_view(before - before->value(), base_);
}

}  // namespace weir::redisq::resp
