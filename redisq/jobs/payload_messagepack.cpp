// The depth of a MessagePack payload, judged without recursion before a parser that recurses sees
// it. Format: https://github.com/msgpack/msgpack/blob/master/spec.md
#include <cstdint>
#include <optional>
#include <vector>

#include "payload.hpp"

namespace weir::redisq::detail {
namespace {

using nlohmann::json;

[[noreturn]] void refuse(const std::string& why) {
    throw job_exception(job_errc::bad_payload, "payload: " + why);
}

// One value's head: how many bytes of head and content to skip, and how many values are inside.
struct head {
    std::size_t skip = 1;
    std::size_t values = 0;
};

class scanner {
  public:
    explicit scanner(std::string_view bytes) : bytes_(bytes) {}

    void scan() {
        std::vector<std::size_t> open = {1};  // values still to come, one count a level
        while (!open.empty()) {
            if (open.back() == 0) {
                open.pop_back();
                continue;
            }
            --open.back();
            const head next = read();
            if (next.skip > bytes_.size() - at_) {
                cut();
            }
            at_ += next.skip;
            if (next.values == 0) {
                continue;
            }
            if (open.size() > payload_depth_max) {
                refuse("nested deeper than " + std::to_string(payload_depth_max) + " levels");
            }
            // Each value has a byte at least: a count beyond the bytes is a lie.
            if (next.values > bytes_.size() - at_) {
                cut();
            }
            open.push_back(next.values);
        }
        if (at_ != bytes_.size()) {
            refuse("not valid MessagePack at byte " + std::to_string(at_));
        }
    }

  private:
    [[noreturn]] void cut() const {
        refuse("not valid MessagePack: it ends within the value at byte " + std::to_string(at_));
    }

    [[nodiscard]] std::size_t number(std::size_t bytes) const {
        if (bytes + 1 > bytes_.size() - at_) {
            cut();
        }
        std::size_t value = 0;
        for (std::size_t i = 1; i <= bytes; ++i) {
            value = value << 8U | static_cast<unsigned char>(bytes_[at_ + i]);
        }
        return value;
    }

    [[nodiscard]] head read() const {
        if (at_ == bytes_.size()) {
            cut();
        }
        const auto first = static_cast<unsigned char>(bytes_[at_]);
        if (first < 0x80 || first >= 0xE0) {
            return {};  // a small number
        }
        if (first < 0x90) {
            return {1, 2U * (first & 0x0FU)};
        }
        if (first < 0xA0) {
            return {1, first & 0x0FU};
        }
        if (first < 0xC0) {
            return {1U + (first & 0x1FU), 0};
        }
        return read_long(first);
    }

    [[nodiscard]] head read_long(unsigned char first) const {
        const std::size_t width = std::size_t{1} << (first & 0x03U);
        switch (first) {
            case 0xC0:  // nothing
            case 0xC2:  // false
            case 0xC3:  // true
                return {};
            case 0xC4:  // bytes
            case 0xC5:
            case 0xC6:
                return {1 + width + number(width), 0};
            case 0xC7:  // an extension
            case 0xC8:
            case 0xC9: {
                const std::size_t size = std::size_t{1} << (first - 0xC7U);
                return {2 + size + number(size), 0};
            }
            case 0xCA:  // floating
                return {5, 0};
            case 0xCB:
                return {9, 0};
            case 0xD9:  // text
            case 0xDA:
            case 0xDB: {
                const std::size_t size = std::size_t{1} << (first - 0xD9U);
                return {1 + size + number(size), 0};
            }
            case 0xDC:  // arrays and maps
                return {3, number(2)};
            case 0xDD:
                return {5, number(4)};
            case 0xDE:
                return {3, 2 * number(2)};
            case 0xDF:
                return {5, 2 * number(4)};
            case 0xC1:
                refuse("not valid MessagePack at byte " + std::to_string(at_));
            default:
                break;
        }
        if (first < 0xD4) {  // integers of 1, 2, 4 and 8 bytes
            return {1 + width, 0};
        }
        return {2 + (std::size_t{1} << (first - 0xD4U)), 0};  // extensions of fixed lengths
    }

    std::string_view bytes_;
    std::size_t at_ = 0;
};

}  // namespace

json parse_messagepack_payload(std::string_view bytes) {
    scanner(bytes).scan();
    try {
        return json::from_msgpack(bytes.begin(), bytes.end());
    } catch (const json::exception&) {
        refuse("not valid MessagePack");
    }
}

}  // namespace weir::redisq::detail
