// What a worker tells when it begins, of a server that endangers jobs or secrets.
#include <cstdio>

#include "detail/server_warnings.hpp"
#include "detail/worker_core.hpp"

namespace weir::redisq::detail {

// A server that does not tell is none that somebody has to be warned of.
task<> worker_core::look_at_server(worker_queue* queue) {
    std::vector<std::string> warnings = warnings_of_address(queue->server.options().server);
    const result<std::string> info =
        co_await queue->server.command<std::string>(idempotent, "INFO");
    if (info) {
        for (std::string& each : warnings_of_info(*info)) {
            warnings.push_back(std::move(each));
        }
    }
    for (const std::string& each : warnings) {
        if (options_.on_warning) {
            options_.on_warning(each);
        } else {
            std::fprintf(stderr, "weir worker: warning: %s\n", each.c_str());
        }
    }
}

}  // namespace weir::redisq::detail
