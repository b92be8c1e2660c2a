#include "aio_call.hpp"

#include <algorithm>

namespace weir::redisq {
namespace {

// What json.dumps writes begins with '{'. Pickles of protocol 2 and later begin with byte 0x80; of
// the older ones, a dict or a tuple begins with '('.
bool is_pickle(std::string_view text) {
    return !text.empty() && (text[0] == '\x80' || text[0] == '(' || text[0] == 'c' ||
                             (text.back() == '.' && text[0] != '{'));
}

[[noreturn]] void refuse(const std::string& why) {
    throw job_exception(job_errc::bad_payload, "element of an nb_aio_task list: " + why);
}

}  // namespace

std::string write_aio_call(const aio_call& call) {
    std::string out;
    detail::write_json_payload(out, nlohmann::json{{"args", call.args}, {"kwargs", call.kwargs}});
    return out;
}

aio_call read_aio_call(std::string_view text) {
    if (is_pickle(text)) {
        throw job_exception(job_errc::pickled,
                            "element of an nb_aio_task list: a pickle, which runs code when it is "
                            "read; let the producer use use_pickle=False");
    }
    nlohmann::json value = detail::parse_json_payload(text);
    if (!value.is_object() || !value.contains("args") || !value["args"].is_array()) {
        refuse("not an object with an array \"args\"");
    }
    aio_call call;
    call.args = std::move(value["args"]);
    if (value.contains("kwargs")) {
        call.kwargs = std::move(value["kwargs"]);
        if (!call.kwargs.is_object()) {
            refuse("\"kwargs\" is not an object");
        }
    }
    return call;
}

namespace detail {

const nlohmann::json& aio_argument(const aio_call& call, std::size_t index,
                                   const std::vector<std::string>& names) {
    const bool named = index < names.size() && call.kwargs.contains(names[index]);
    if (index < call.args.size()) {
        if (named) {
            refuse("argument '" + names[index] + "' is given twice");
        }
        return call.args[index];
    }
    if (!named) {
        refuse("argument " + std::to_string(index + 1) + " is missing");
    }
    return call.kwargs[names[index]];
}

void check_aio_arguments(const aio_call& call, std::size_t count,
                         const std::vector<std::string>& names) {
    if (call.args.size() > count) {
        refuse(std::to_string(call.args.size()) + " arguments; the function takes " +
               std::to_string(count));
    }
    for (const auto& [name, value] : call.kwargs.items()) {
        if (std::ranges::find(names, name) == names.end()) {
            refuse("the function has no argument '" + name.substr(0, 64) + "'");
        }
    }
}

}  // namespace detail
}  // namespace weir::redisq
