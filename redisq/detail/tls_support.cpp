#include "tls_support.hpp"

namespace weir::redisq::detail {

bool tls_supported() noexcept { return true; }

}  // namespace weir::redisq::detail
