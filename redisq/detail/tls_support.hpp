// Whether this library was built with TLS: meson takes tls_support.cpp or no_tls.cpp.
//
// Thread: any.
#pragma once

namespace weir::redisq::detail {

[[nodiscard]] bool tls_supported() noexcept;

}  // namespace weir::redisq::detail
