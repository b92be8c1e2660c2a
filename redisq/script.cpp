#include "script.hpp"

#include "detail/sha1.hpp"

namespace weir::redisq {

script::script(std::string text) : text_(std::move(text)), hash_(detail::sha1_hex(text_)) {}

}  // namespace weir::redisq
