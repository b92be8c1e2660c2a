// expect: a character is no argument of a command
// 'a' would go out as the number 97.
#include <weir/redisq/resp/encoder.hpp>

void append(weir::redisq::resp::command_buffer& commands) {
#ifdef FIXED
    commands.add("APPEND", "text", "a");
#else
    commands.add("APPEND", "text", 'a');
#endif
}
