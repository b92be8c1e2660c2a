// Pieces of a URL's text.
//
// Thread: any.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "../errors.hpp"
#include "../url.hpp"

namespace weir::redisq::detail {

// errc::bad_url; `what` names the part and what is allowed.
[[nodiscard]] std::unexpected<error> bad_url(std::string_view what);

// For error texts: at most 64 bytes, those that do not print as \xNN.
[[nodiscard]] std::string printable(std::string_view text);
// The same between quotation marks.
[[nodiscard]] std::string quoted(std::string_view text);

// Each %XX as its byte; nothing where a '%' has no two hexadecimal digits behind it.
[[nodiscard]] std::optional<std::string> percent_decoded(std::string_view text);

// "a,b:6380,[::1]:6381": 1 to server_url::hosts_max.
[[nodiscard]] result<std::vector<server_host>> parse_hosts(std::string_view text,
                                                           std::uint16_t default_port);

}  // namespace weir::redisq::detail
