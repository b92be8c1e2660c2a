#include "reply.hpp"

#include <algorithm>
#include <cstring>

namespace weir::redisq::resp {

using detail::node;

namespace {

constexpr std::size_t format_bytes = 4;  // "txt:", before the text of a verbatim string

bool is_text(const node& item) noexcept {
    switch (item.kind()) {
        case type::simple_string:
        case type::error:
        case type::bulk_string:
        case type::big_number:
        case type::bulk_error:
        case type::verbatim_string:
            return true;
        default:
            return false;
    }
}

std::size_t bytes_before(const node& item) noexcept {
    return item.kind() == type::verbatim_string ? format_bytes : 0;
}

std::unique_ptr<node[]> make_block(std::size_t nodes, std::size_t bytes) {
    return std::make_unique_for_overwrite<node[]>(nodes +
                                                  (bytes + sizeof(node) - 1) / sizeof(node));
}

}  // namespace

reply::reply(std::span<const node> nodes, std::size_t root, std::string_view bytes)
    : nodes_(make_block(nodes.size(), bytes.size())), root_(nodes_.get() + root) {
    std::copy(nodes.begin(), nodes.end(), nodes_.get());
    char* const copy = reinterpret_cast<char*>(nodes_.get() + nodes.size());
    if (!bytes.empty()) {
        std::memcpy(copy, bytes.data(), bytes.size());
    }
    base_ = copy;
}

reply::reply(reply_view source) {
    const node* const root = &source.root();
    const node* first = root;
    if (const auto attributes = source.attributes()) {
        first = &attributes->root();
    }
    const std::span<const node> nodes(first, root + root->span());
    std::size_t bytes = 0;
    for (const node& item : nodes) {
        bytes += is_text(item) ? bytes_before(item) + item.size() : 0;
    }
    nodes_ = make_block(nodes.size() + 1, bytes);
    nodes_[0] = node::null();
    root_ = nodes_.get() + 1 + (root - first);
    char* const copies = reinterpret_cast<char*>(nodes_.get() + 1 + nodes.size());
    base_ = copies;
    std::size_t copied = 0;
    node* out = nodes_.get() + 1;
    for (const node& item : nodes) {
        if (is_text(item)) {
            const std::size_t before = bytes_before(item);
            std::memcpy(copies + copied, source.base() + item.value() - before,
                        before + item.size());
            *out++ = node::text(item.kind(), item.size(), copied + before);
            copied += before + item.size();
        } else {
            *out++ = item;
        }
    }
}

}  // namespace weir::redisq::resp
