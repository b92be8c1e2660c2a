// embedded_server: a private redis-server that lives no longer than the program.
//
//     weir::redisq::embedded_server server;
//     weir::redisq::client redis(server.url());
//     const auto stored = co_await redis.command<void>("SET", "greeting", "hello");
//
// It listens on a Unix socket in a temporary folder (mode 0700), keeps an append-only file there
// and serves nobody else. When the object dies, and also when the program is killed, the server is
// killed and its folder removed: a shell between the two waits for the end of a pipe whose other
// end the program holds.
//
// The URL embedded:// means one server that all clients of the program share. It is started by the
// first that connects, and ends with the program.
//
// Errors: the constructor throws redisq::exception: errc::unsupported where redis-server is not
// installed, which the text says how to mend; or what the system says, and where.
// Thread: any. The constructor takes about a millisecond; it does not wait until the server
// answers, for clients do.
#pragma once

#include <memory>
#include <string>

#include "../runtime/task.hpp"
#include "errors.hpp"

namespace weir::redisq {

class embedded_server {
  public:
    embedded_server();
    embedded_server(embedded_server&& other) noexcept;
    embedded_server& operator=(embedded_server&& other) noexcept;
    // Returns when the server is gone.
    ~embedded_server();

    // unix://SOCKET
    [[nodiscard]] std::string url() const;
    // Lives as long as this.
    [[nodiscard]] const std::string& socket() const noexcept;

    // The socket of the one that embedded:// means, when it takes connections. Errors as the
    // constructor's; errc::connect_failed where it does not come up within five seconds.
    [[nodiscard]] static task<result<std::string>> shared_socket();

  private:
    struct process;
    std::unique_ptr<process> process_;
};

}  // namespace weir::redisq
