// The client of one server or of a cluster, as options ask for; for who has options and no client:
// a worker, the tool weirq.
//
// A cluster is asked for by a URL with several hosts (but for those of sentinels), or by name.
//
// Lifetime: ends before its loop, and after what uses its server(). Thread: the loop's.
#pragma once

#include <optional>

#include "../../client.hpp"
#include "../../cluster_client.hpp"
#include "../../options.hpp"
#include "job_server.hpp"

namespace weir::redisq::detail {

class job_link {
  public:
    // Throws std::invalid_argument for options that are not sound, or not those of a cluster where
    // that is asked for.
    static void check(const client_options& options, bool cluster);

    // On the loop that runs now. Throws the same.
    job_link(const client_options& options, bool cluster);

    [[nodiscard]] job_server server() noexcept;

    // Tells at once what is wrong with the options.
    [[nodiscard]] task<result<void>> connect();
    // Ends when the replies under way have come.
    [[nodiscard]] task<> close();

  private:
    std::optional<client> only_;
    std::optional<cluster_client> cluster_;
};

}  // namespace weir::redisq::detail
