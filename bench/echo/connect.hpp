// Connects to a server on this machine.
#pragma once

#include <cstdint>
#include <vector>

namespace echo {

// So many blocking sockets with TCP_NODELAY, connected to `port` on 127.0.0.1. Throws load_error
// that names the connection and the cause; none stays open then.
[[nodiscard]] std::vector<int> connect_all(std::uint64_t count, std::uint16_t port);

}  // namespace echo
