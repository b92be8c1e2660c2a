// What about a server endangers jobs or secrets, in one line of text for people each.
//
// Thread: any.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "../../url.hpp"

namespace weir::redisq::detail {

// Of the way to it: beyond this machine without a password, or without encryption.
[[nodiscard]] std::vector<std::string> warnings_of_address(const server_url& server);

// Of what INFO answered: keys may be evicted, or are gone when the server dies.
[[nodiscard]] std::vector<std::string> warnings_of_info(std::string_view info);

}  // namespace weir::redisq::detail
