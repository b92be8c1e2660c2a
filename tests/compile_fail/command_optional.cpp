// expect: an optional is no argument of a command
// What is not there cannot be sent: an empty text is a value, too.
#include <weir/redisq/resp/encoder.hpp>

#include <optional>
#include <string>

void store(weir::redisq::resp::command_buffer& commands, const std::optional<std::string>& text) {
#ifdef FIXED
    if (text) {
        commands.add("SET", "key", *text);
    }
#else
    commands.add("SET", "key", text);
#endif
}
