// The parser on any bytes: the same replies and the same error however they are cut, and copies
// that equal their originals.
//
// The first byte is the size of the pieces.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <weir/redisq/resp/decode.hpp>
#include <weir/redisq/resp/parser.hpp>

#include "support/resp.hpp"

namespace {

namespace resp = weir::redisq::resp;
using weir::test::parsed;

// Small, so that they are reached.
resp::limits small_limits() {
    resp::limits allowed;
    allowed.depth_max = 4;
    allowed.bulk_bytes_max = 1'000;
    allowed.elements_max = 100;
    allowed.line_bytes_max = 64;
    allowed.reply_bytes_max = 3'000;
    return allowed;
}

void require(bool condition) {
    if (!condition) {
        std::abort();
    }
}

// Whatever it is, decoding ends in a value or in a text.
template <class T>
void decode_as(resp::reply_view view) {
    const auto value = resp::decode<T>(view);
    require(value.has_value() || !value.error().message().empty());
}

void look_at(resp::reply_view view) {
    decode_as<int>(view);
    decode_as<double>(view);
    decode_as<std::vector<std::string>>(view);
    decode_as<std::map<std::string, std::vector<std::int64_t>>>(view);
    decode_as<std::vector<std::pair<std::string, bool>>>(view);
}

parsed replies_of(std::string_view bytes, std::size_t piece_bytes) {
    resp::parser replies(small_limits());
    parsed out;
    while (!bytes.empty() && out.error.empty()) {
        weir::test::receive(replies, bytes.substr(0, piece_bytes));
        bytes.remove_prefix(std::min(piece_bytes, bytes.size()));
        while (out.error.empty()) {
            const auto next = replies.next();
            if (!next) {
                out.error = next.error().message();
            } else if (*next) {
                out.replies.push_back(weir::test::text_of(**next));
                look_at(**next);
                require(weir::test::text_of(resp::reply(**next).view()) == out.replies.back());
                require(weir::test::text_of(replies.take().view()) == out.replies.back());
            } else {
                break;
            }
        }
    }
    require(replies.memory() <= 64 * 1'024);
    return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) {
        return 0;
    }
    const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
    const parsed whole = replies_of(bytes, bytes.size());
    require(replies_of(bytes, 1U + data[0]) == whole);
    return 0;
}
