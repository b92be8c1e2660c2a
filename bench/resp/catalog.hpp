// The clients that are measured.
#pragma once

#include <chrono>
#include <span>
#include <string>
#include <string_view>

#include "meter.hpp"
#include "shape.hpp"

namespace resp {

struct job {
    std::string socket_path;
    shape of;
    std::chrono::nanoseconds warm_up{};
    std::chrono::nanoseconds window{};
};

struct client {
    std::string_view name;
    std::string_view about;
    std::string_view missing;               // what was not there when it should have been built
    figures (*run)(const job&) = nullptr;   // in a process of its own
    bool (*takes)(const shape&) = nullptr;  // what it can be asked
};

// In the order in which they are shown; the raw writer first.
[[nodiscard]] std::span<const client> catalog();

[[nodiscard]] figures run_raw(const job& what);
[[nodiscard]] figures run_hiredis_sync(const job& what);
[[nodiscard]] figures run_hiredis_async(const job& what);
[[nodiscard]] figures run_redis_benchmark(const job& what);
[[nodiscard]] figures run_weir(const job& what);

}  // namespace resp
