// What stands between a socket and RESP: nothing, or TLS. Turns bytes into bytes, without I/O.
//
// Errors are final. Thread: one at a time.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "../../runtime/result.hpp"
#include "../options.hpp"

namespace weir::redisq::detail {

class wire_filter {
  public:
    wire_filter() = default;
    wire_filter(const wire_filter&) = delete;
    wire_filter& operator=(const wire_filter&) = delete;
    virtual ~wire_filter() = default;

    // Before anything else: repeated with all that the peer sends until it says true. What it
    // leaves in the output is sent each time, also when it fails.
    [[nodiscard]] virtual weir::result<bool> shake_hands() = 0;

    // Where bytes from the socket go, and how many have come there; 0: the end of the stream.
    [[nodiscard]] virtual std::span<std::byte> input_space() noexcept = 0;
    virtual void add_input(std::size_t count) noexcept = 0;

    // Plain bytes out of what has come; 0: more has to come first. net_errc::end_of_stream at the
    // end.
    [[nodiscard]] virtual weir::result<std::size_t> read(std::span<std::byte> into) = 0;

    // Turns all of `plain` into output.
    [[nodiscard]] virtual weir::result<void> write(std::span<const std::byte> plain) = 0;

    // What is to be sent now; appended to `to`.
    virtual void take_output(std::vector<std::byte>& to) = 0;
};

// A TLS client to the host of that name, or the one that the options name. errc::unsupported where
// the library was built without TLS; bad_option where certificate, key or authorities are not what
// they should be.
[[nodiscard]] redisq::result<std::unique_ptr<wire_filter>> make_tls_filter(
    const client_options& options, const std::string& host);

}  // namespace weir::redisq::detail
