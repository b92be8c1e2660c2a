#include <array>

#include "../../support/redis_connection.hpp"
#include "../shape.hpp"
#include "parser.hpp"

namespace resp {
namespace {

// Small replies are repeated, so that a piece as a socket gives it holds many.
constexpr std::size_t small_times = 500;

using commands = std::vector<command>;

// A status, a number, a value, a null.
commands small_commands() {
    return {
        command_of(operation::set),
        {"INCR", "counter"},
        command_of(operation::get),
        {"GET", "nothing-is-here"},
    };
}

// Maps of texts, numbers and maps in turn, six levels deep.
commands map_commands() {
    commands out;
    for (const std::string_view name : {"get", "set", "hset", "expire", "zadd", "xadd", "lpush"}) {
        out.push_back({"COMMAND", "DOCS", name});
    }
    return out;
}

std::string replies_to(bench::redis_connection& link, const commands& list) {
    std::string out;
    for (const command& each : list) {
        out += link.reply_to(each);
    }
    return out;
}

std::string times(const std::string& text, std::size_t count) {
    std::string out;
    out.reserve(text.size() * count);
    for (std::size_t index = 0; index < count; ++index) {
        out += text;
    }
    return out;
}

}  // namespace

std::vector<input> record_inputs(const std::string& socket_path) {
    bench::redis_connection old_protocol(socket_path);
    bench::redis_connection new_protocol(socket_path);
    static_cast<void>(new_protocol.reply_to({"HELLO", "3"}));
    const auto record = [&](std::string name, const commands& list, std::size_t repeated) {
        return input{.name = std::move(name),
                     .resp2 = times(replies_to(old_protocol, list), repeated),
                     .resp3 = times(replies_to(new_protocol, list), repeated),
                     .replies = list.size() * repeated};
    };
    std::vector<input> out;
    out.push_back(record("small", small_commands(), small_times));
    out.push_back(record("bulk_1mib", {command_of(operation::get_big)}, 1));
    out.push_back(record("array_10000", {command_of(operation::lrange)}, 1));
    out.push_back(record("nested_maps", map_commands(), 1));
    return out;
}

}  // namespace resp
