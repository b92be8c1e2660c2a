#include "type.hpp"

#include <array>

namespace weir::redisq::resp {

std::string_view name(type kind) noexcept {
    static constexpr std::array<std::string_view, 14> names = {
        "simple string", "error",  "integer",    "bulk string", "null",
        "boolean",       "double", "big number", "bulk error",  "verbatim string",
        "array",         "map",    "set",        "push"};
    const auto index = static_cast<std::size_t>(kind);
    return index < names.size() ? names[index] : std::string_view("unknown type");
}

}  // namespace weir::redisq::resp
