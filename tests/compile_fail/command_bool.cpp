// expect: a bool is no argument of a command
// The server knows no bool: 1, "yes" and "true" are different words.
#include <weir/redisq/resp/encoder.hpp>

void set_flag(weir::redisq::resp::command_buffer& commands, bool on) {
#ifdef FIXED
    commands.add("HSET", "job", "urgent", on ? 1 : 0);
#else
    commands.add("HSET", "job", "urgent", on);
#endif
}
