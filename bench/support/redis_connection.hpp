// A blocking connection to Redis by hand: what fills the server, records replies, and is the raw
// writer that clients are compared with.
//
// Errors: everything throws bench_error, which names the server's socket.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

namespace bench {

// Parts of a command as it stands on the wire: "*2\r\n", and "$4\r\nPING\r\n".
void append_header(std::string& out, char kind, std::size_t number);
void append_word(std::string& out, std::string_view word);

// The bytes of a command as it stands on the wire.
[[nodiscard]] std::string encoded(std::span<const std::string_view> words);
[[nodiscard]] std::string encoded(std::initializer_list<std::string_view> words);

class redis_connection {
  public:
    explicit redis_connection(const std::string& socket_path);
    redis_connection(const redis_connection&) = delete;
    redis_connection& operator=(const redis_connection&) = delete;
    ~redis_connection();

    void write_all(std::string_view bytes);
    // One read; at least one byte.
    [[nodiscard]] std::size_t read_some(char* into, std::size_t size);
    void read_exactly(char* into, std::size_t size);

    // Sends a command, which has a word, and takes what comes back as it stands on the wire. The
    // reply must not be an error. Its end is where the connection has nothing more after a PING
    // behind it.
    [[nodiscard]] std::string reply_to(std::span<const std::string_view> words);
    [[nodiscard]] std::string reply_to(std::initializer_list<std::string_view> words);

  private:
    int fd_;
};

}  // namespace bench
