#include "wire_filter.hpp"

namespace weir::redisq::detail {

redisq::result<std::unique_ptr<wire_filter>> make_tls_filter(const client_options& /*options*/,
                                                             const std::string& /*host*/) {
    return std::unexpected(error(errc::unsupported));
}

}  // namespace weir::redisq::detail
