#include "tls_support.hpp"

namespace weir::redisq::detail {

bool tls_supported() noexcept { return false; }

}  // namespace weir::redisq::detail
