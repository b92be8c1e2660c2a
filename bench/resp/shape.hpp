// What is asked of a client: which command, and how many at a time.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace resp {

enum class operation { set, get, lrange, get_big };

// pipeline: one caller hands over `depth` commands and takes their replies before it goes on. From
// `sliding_depth` on it does not wait for all of them: whatever was answered is sent anew.
// callers: `depth` callers with one command each.
enum class mode { pipeline, callers };

struct shape {
    operation op = operation::set;
    mode how = mode::pipeline;
    std::uint64_t depth = 1;

    friend bool operator==(const shape&, const shape&) = default;
};

inline constexpr std::uint64_t sliding_depth = 1'024;
inline constexpr std::uint64_t depth_max = 1'024;

[[nodiscard]] inline bool is_sliding(const shape& of) {
    return of.how == mode::pipeline && of.depth >= sliding_depth;
}

// What the server holds before a run. redis-benchmark uses this key for SET and GET.
inline constexpr std::string_view key = "key:__rand_int__";
inline constexpr std::string_view list_key = "list:10000";
inline constexpr std::string_view big_key = "blob:1mib";
inline constexpr std::size_t value_bytes = 64;
inline constexpr std::size_t list_length = 10'000;
inline constexpr std::size_t big_bytes = 1'048'576;

// At most four words.
using command = std::vector<std::string_view>;
[[nodiscard]] command command_of(operation op);

// "set", "lrange_10000"; as in the JSON rows.
[[nodiscard]] std::string_view name_of(operation op);
[[nodiscard]] std::string_view name_of(mode how);
// "GET, pipeline of 64", "SET, 50 callers", "GET of 1 MiB".
[[nodiscard]] std::string text_of(const shape& of);

}  // namespace resp
