// Replies in parts: they hold what the whole replies hold, and end in the same error.
//
// The first byte is the size of the pieces.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include <weir/redisq/resp/parser.hpp>

#include "support/resp.hpp"

namespace {

namespace resp = weir::redisq::resp;
using kind = resp::stream_event::kind;

// The parts put together again, one reply a line as text_of() writes it; then the error.
class assembler {
  public:
    void add(const resp::stream_event& part) {
        switch (part.what) {
            case kind::value:
                text_ += weir::test::text_of(part.view) + '\n';
                break;
            case kind::begin:
                text_ += part.type == resp::type::bulk_string ? "\""
                         : part.type == resp::type::map       ? "%["
                         : part.type == resp::type::set       ? "~["
                                                              : "[";
                is_text_ = part.type == resp::type::bulk_string;
                is_first_ = true;
                break;
            case kind::element:
                text_ += (is_first_ ? "" : ",") + weir::test::text_of(part.view);
                is_first_ = false;
                break;
            case kind::chunk:
                text_.append(reinterpret_cast<const char*>(part.bytes.data()), part.bytes.size());
                break;
            case kind::end:
                text_ += is_text_ ? "\"\n" : "]\n";
                break;
        }
    }
    [[nodiscard]] const std::string& text() const noexcept { return text_; }

  private:
    std::string text_;
    bool is_text_ = false;
    bool is_first_ = false;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) {
        return 0;
    }
    const std::size_t piece_bytes = 1U + data[0];
    std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
    const weir::test::parsed whole = weir::test::parse(bytes);

    resp::parser replies;
    assembler parts;
    std::string error;
    while (!bytes.empty() && error.empty()) {
        weir::test::receive(replies, bytes.substr(0, piece_bytes));
        bytes.remove_prefix(std::min(piece_bytes, bytes.size()));
        while (true) {
            const auto next = replies.next_event();
            if (!next) {
                error = next.error().message();
                break;
            }
            if (!*next) {
                break;
            }
            parts.add(**next);
        }
    }
    std::string expected;
    for (const std::string& reply : whole.replies) {
        expected += reply + '\n';
    }
    if (error != whole.error || !parts.text().starts_with(expected)) {
        std::abort();
    }
    return 0;
}
