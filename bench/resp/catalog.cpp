#include "catalog.hpp"

#include <array>

namespace resp {
namespace {

bool everything(const shape& /*of*/) { return true; }
bool no_callers(const shape& of) { return of.how == mode::pipeline; }
// It waits for whole batches, and has tests for these two only.
bool small_batches(const shape& of) {
    return (of.op == operation::set || of.op == operation::get) && !is_sliding(of);
}

#ifdef WEIR_RESP_HIREDIS
constexpr std::string_view hiredis_missing;
constexpr auto sync_run = run_hiredis_sync;
constexpr auto async_run = run_hiredis_async;
#else
constexpr std::string_view hiredis_missing = "hiredis";
constexpr figures (*sync_run)(const job&) = nullptr;
constexpr figures (*async_run)(const job&) = nullptr;
#endif

constexpr std::array all_clients = {
    client{.name = "raw",
           .about = "the limit: bytes made before, reply bytes counted",
           .missing = {},
           .run = run_raw,
           .takes = everything},
    client{.name = "hiredis_sync",
           .about = "hiredis, blocking, commands appended, then their replies",
           .missing = hiredis_missing,
           .run = sync_run,
           .takes = no_callers},
    client{.name = "hiredis_async",
           .about = "hiredis, asynchronous, on an epoll loop by hand",
           .missing = hiredis_missing,
           .run = async_run,
           .takes = everything},
    client{.name = "redis-benchmark",
           .about = "the program; its callers are connections",
           .missing = {},
           .run = run_redis_benchmark,
           .takes = small_batches},
    client{.name = "weir",
           .about = "pipelines, and commands of concurrent tasks",
           .missing = {},
           .run = run_weir,
           .takes = everything},
};

}  // namespace

std::span<const client> catalog() { return all_clients; }

}  // namespace resp
