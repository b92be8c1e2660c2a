#include "limits.hpp"

#include <cstdint>
#include <stdexcept>
#include <string>

namespace weir::redisq::resp {
namespace {

constexpr std::size_t bulk_bytes_end = std::size_t{512} << 20;

void check_one(const char* name, std::size_t value, std::size_t least, std::size_t most) {
    if (value < least || value > most) {
        throw std::invalid_argument("limits." + std::string(name) + " is " + std::to_string(value) +
                                    ", allowed: " + std::to_string(least) + " to " +
                                    std::to_string(most));
    }
}

}  // namespace

void limits::check() const {
    check_one("depth_max", depth_max, 1, 1'024);
    check_one("bulk_bytes_max", bulk_bytes_max, 1, bulk_bytes_end);
    check_one("elements_max", elements_max, 1, std::size_t{1} << 30);
    check_one("line_bytes_max", line_bytes_max, 64, bulk_bytes_end);
    check_one("reply_bytes_max", reply_bytes_max, 64, UINT32_MAX);
}

}  // namespace weir::redisq::resp
