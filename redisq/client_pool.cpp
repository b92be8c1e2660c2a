#include "client_pool.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>

namespace weir::redisq {

client_pool::client_pool(const client_options& options, std::size_t size) {
    if (size < 1 || size > size_max) {
        throw std::invalid_argument("client_pool: size is " + std::to_string(size) +
                                    "; allowed: 1 to " + std::to_string(size_max));
    }
    while (clients_.size() < size) {
        clients_.emplace_back(options);
    }
}

client_pool::client_pool(std::string_view url, std::size_t size)
    : client_pool(client_options(url), size) {}

client& client_pool::least_busy() noexcept {
    return *std::ranges::min_element(clients_, {},
                                     [](const client& one) { return one.core().pending(); });
}

task<> client_pool::close() {
    for (client& one : clients_) {
        co_await one.close();
    }
}

}  // namespace weir::redisq
