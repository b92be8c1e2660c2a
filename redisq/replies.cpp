#include "replies.hpp"

#include <cstring>
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

bool is_plain_text(resp::type kind) noexcept {
    return is_text(kind) && kind != resp::type::verbatim_string;
}

}  // namespace

void replies::clear() noexcept {
    nodes_.clear();
    bytes_.clear();
    roots_.clear();
}

// Most replies are one text, for which there is room.
void replies::add(const resp::reply_view& reply) {
    const node& only = reply.root();
    if (!is_plain_text(only.kind()) || nodes_.empty() || !nodes_.has_room(1) ||
        !roots_.has_room(1) || !bytes_.has_room(only.size()) || nodes_.size() > UINT32_MAX)
        [[unlikely]] {
        add_tree(reply);
        return;
    }
    const std::size_t at = bytes_.size();
    if (only.size() != 0) {
        std::memcpy(bytes_.data() + at, reply.base() + only.value(), only.size());
    }
    bytes_.set_size(at + only.size());
    roots_.push(static_cast<std::uint32_t>(nodes_.size()));
    nodes_.push(node::text(only.kind(), only.size(), at));
}

void replies::add_tree(const resp::reply_view& reply) {
    const node* item = &reply.root();
    const node* const end = item + item->span();
    // What is written counts when all of it has been.
    nodes_.reserve_more(static_cast<std::size_t>(end - item) + 1);
    roots_.reserve_more(1);
    if (nodes_.empty()) {
        nodes_.push(node::null());  // every root has a node before it
    }
    const std::size_t root = nodes_.size();
    if (root > UINT32_MAX) {
        throw std::length_error("replies of more than 4,294,967,295 elements in all");
    }
    node* out = nodes_.data() + root;
    for (; item != end; ++item) {
        if (!is_text(item->kind())) {
            *out++ = *item;
            continue;
        }
        const std::size_t before = bytes_before(item->kind());
        const std::size_t length = before + item->size();
        bytes_.reserve_more(length);
        const std::size_t at = bytes_.size();
        *out++ = node::text(item->kind(), item->size(), at + before);
        if (length != 0) {
            std::memcpy(bytes_.data() + at, reply.base() + item->value() - before, length);
            bytes_.set_size(at + length);
        }
    }
    nodes_.set_size(static_cast<std::size_t>(out - nodes_.data()));
    roots_.push(static_cast<std::uint32_t>(root));
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
