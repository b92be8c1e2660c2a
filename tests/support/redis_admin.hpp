// A blocking connection to a Redis server for tests to arrange and look at things behind the back
// of the client that is tested.
//
//     test::redis_admin admin(server.address());
//     EXPECT_EQ(admin.command({"GET", "key"}), "value");
//
// Thread: one at a time.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include <weir/runtime/net/address.hpp>

#include "support/io.hpp"

namespace weir::test {

class redis_admin {
  public:
    // Throws std::system_error where nobody listens.
    explicit redis_admin(const socket_address& to,
                         std::chrono::milliseconds reply_limit = std::chrono::seconds(20));

    // The reply as text: an error begins with "-", a null is "(nil)", elements are separated by
    // line feeds. Throws std::runtime_error when the connection ends or no reply comes in time.
    std::string command(const std::vector<std::string>& words);

    // Sends it and waits for no reply.
    void send(const std::vector<std::string>& words);

  private:
    std::string read_reply();
    std::string read_line();
    std::string read_bytes(std::size_t count);
    void receive();

    descriptor socket_;
    std::string received_;
    std::size_t taken_ = 0;
};

}  // namespace weir::test
