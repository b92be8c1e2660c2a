// expect: a bool is no argument of a command
// Also inside of what is flattened.
#include <weir/redisq/resp/encoder.hpp>

#include <string>
#include <utility>
#include <vector>

#ifdef FIXED
using flags = std::vector<std::pair<std::string, int>>;
#else
using flags = std::vector<std::pair<std::string, bool>>;
#endif

void store(weir::redisq::resp::command_buffer& commands, const flags& all) {
    commands.add("HSET", "job", all);
}
