// expect: a null pointer is no argument of a command
#include <weir/redisq/resp/encoder.hpp>

void store(weir::redisq::resp::command_buffer& commands) {
#ifdef FIXED
    commands.add("SET", "key", "");
#else
    commands.add("SET", "key", nullptr);
#endif
}
