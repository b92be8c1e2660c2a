// Where a worker's options want its metrics to be served.
//
// Thread: any.
#pragma once

#include <optional>

#include "../../../runtime/net/address.hpp"
#include "../options.hpp"

namespace weir::redisq::detail {

// Nothing where the address is none; its port is 0 where nothing is to be served.
[[nodiscard]] std::optional<socket_address> metrics_end(const worker_options& options);

}  // namespace weir::redisq::detail
