// A blocking connection by hand: what fills the server, records replies, and is the raw writer.
//
// Errors: everything throws bench_error, which names the server's socket.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "shape.hpp"

namespace resp {

// The bytes of a command as it stands on the wire.
[[nodiscard]] std::string encoded(const command& what);

class connection {
  public:
    explicit connection(const std::string& socket_path);
    connection(const connection&) = delete;
    connection& operator=(const connection&) = delete;
    ~connection();

    void write_all(std::string_view bytes);
    // One read; at least one byte.
    [[nodiscard]] std::size_t read_some(char* into, std::size_t size);
    void read_exactly(char* into, std::size_t size);

    // Sends a command and takes what comes back as it stands on the wire. The reply must not be an
    // error. Its end is where the connection has nothing more after a PING behind it.
    [[nodiscard]] std::string reply_to(const command& what);

  private:
    int fd_;
};

}  // namespace resp
