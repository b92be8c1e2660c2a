#include "shape.hpp"

#include "../support/values.hpp"

namespace resp {
namespace {

const std::string& value() {
    static const std::string text(value_bytes, 'v');
    return text;
}

}  // namespace

command command_of(operation op) {
    switch (op) {
        case operation::set:
            return {"SET", key, value()};
        case operation::get:
            return {"GET", key};
        case operation::lrange:
            return {"LRANGE", list_key, "0", "-1"};
        case operation::get_big:
            return {"GET", big_key};
    }
    return {};
}

std::string_view name_of(operation op) {
    switch (op) {
        case operation::set:
            return "set";
        case operation::get:
            return "get";
        case operation::lrange:
            return "lrange_10000";
        case operation::get_big:
            return "get_1mib";
    }
    return {};
}

std::string_view name_of(mode how) { return how == mode::pipeline ? "pipeline" : "callers"; }

std::string text_of(const shape& of) {
    if (of.op == operation::lrange) {
        return "LRANGE of 10,000 x 64 bytes";
    }
    if (of.op == operation::get_big) {
        return "GET of 1 MiB";
    }
    const std::string depth = bench::with_separators(of.depth);
    const std::string op = of.op == operation::set ? "SET, " : "GET, ";
    if (of.how == mode::callers) {
        return op + depth + (of.depth == 1 ? " caller" : " callers");
    }
    return op + (is_sliding(of) ? "sliding window of " : "pipeline of ") + depth;
}

}  // namespace resp
