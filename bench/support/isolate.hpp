// A measurement in a process of its own: what one client has allocated, mapped or warmed does not
// reach the next one, and its CPU time is its own.
//
// Thread: for a program with one thread, since it forks.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstring>
#include <functional>
#include <type_traits>

namespace bench {

inline constexpr std::size_t result_bytes_max = 64;
using result_bytes = std::array<std::byte, result_bytes_max>;

// Runs `work` in a child on `core`, which is killed after `limit` or when this process ends. Throws
// bench_error with the text of what `work` threw, or with how the child ended.
[[nodiscard]] result_bytes isolate_bytes(int core, std::chrono::seconds limit,
                                         const std::function<result_bytes()>& work);

// The same for any small result.
template <class Result, class Work>
[[nodiscard]] Result isolate(int core, std::chrono::seconds limit, const Work& work) {
    static_assert(std::is_trivially_copyable_v<Result> && sizeof(Result) <= result_bytes_max);
    const result_bytes bytes = isolate_bytes(core, limit, [&work] {
        const Result result = work();
        result_bytes out{};
        std::memcpy(out.data(), &result, sizeof result);
        return out;
    });
    Result result;
    std::memcpy(&result, bytes.data(), sizeof result);
    return result;
}

}  // namespace bench
