#include "replies.hpp"

#include <span>
#include <stdexcept>

namespace weir::redisq {
namespace {

using resp::detail::node;

bool is_text(resp::type kind) noexcept {
    switch (kind) {
        case resp::type::simple_string:
        case resp::type::error:
        case resp::type::bulk_string:
        case resp::type::big_number:
        case resp::type::bulk_error:
        case resp::type::verbatim_string:
            return true;
        default:
            return false;
    }
}

// "txt:" stands before the text of a verbatim string.
std::size_t bytes_before(resp::type kind) noexcept {
    return kind == resp::type::verbatim_string ? 4 : 0;
}

}  // namespace

void replies::clear() noexcept {
    nodes_.clear();
    bytes_.clear();
    roots_.clear();
}

void replies::add(const resp::reply_view& reply) {
    const std::size_t nodes_before = nodes_.size();
    const std::size_t bytes_at_first = bytes_.size();
    try {
        if (nodes_.empty()) {
            nodes_.push_back(node::null());  // every root has a node before it
        }
        const std::size_t root = nodes_.size();
        const std::span<const node> source(&reply.root(), reply.root().span());
        for (const node& item : source) {
            if (!is_text(item.kind())) {
                nodes_.push_back(item);
                continue;
            }
            const std::size_t before = bytes_before(item.kind());
            const char* const text = reply.base() + item.value();
            nodes_.push_back(node::text(item.kind(), item.size(), bytes_.size() + before));
            bytes_.insert(bytes_.end(), text - before, text + item.size());
        }
        if (root > UINT32_MAX) {
            throw std::length_error("replies of more than 4,294,967,295 elements in all");
        }
        roots_.push_back(static_cast<std::uint32_t>(root));
    } catch (...) {
        nodes_.resize(nodes_before, node::null());
        bytes_.resize(bytes_at_first);
        throw;
    }
}

std::optional<error> replies::first_error() const {
    for (std::size_t at = 0; at != size(); ++at) {
        if ((*this)[at].is_error()) {
            return server_reply_error((*this)[at].text());
        }
    }
    return std::nullopt;
}

}  // namespace weir::redisq
