#include "contents.hpp"

#include "../support/redis_connection.hpp"
#include "shape.hpp"

namespace resp {

void fill(const std::string& socket_path) {
    bench::redis_connection link(socket_path);
    static_cast<void>(link.reply_to(command_of(operation::set)));
    const std::string big(big_bytes, 'b');
    static_cast<void>(link.reply_to({"SET", big_key, big}));
    const std::string value(value_bytes, 'v');
    const std::string push = bench::encoded({"RPUSH", list_key, value});
    std::string all;
    for (std::size_t index = 1; index < list_length; ++index) {
        all += push;
    }
    link.write_all(all);
    // Takes the replies to all of them.
    static_cast<void>(link.reply_to({"RPUSH", list_key, value}));
}

}  // namespace resp
