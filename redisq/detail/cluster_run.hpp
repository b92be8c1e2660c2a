// A pipeline on its way through a cluster.
//
// Thread: the loop's.
#pragma once

#include <memory>
#include <string>

#include "../../runtime/task.hpp"
#include "../call_options.hpp"
#include "../errors.hpp"
#include "../pipeline.hpp"
#include "../replies.hpp"
#include "cluster_core.hpp"

namespace weir::redisq::detail {

// In rounds: each sends what has no reply yet to the nodes that have the slots, and reads where the
// rest has to go.
[[nodiscard]] task<result<replies>> run_on_cluster(std::shared_ptr<cluster_core> core,
                                                   pipeline commands, call_options options);

[[nodiscard]] task<result<std::shared_ptr<client>>> find_client(std::shared_ptr<cluster_core> core,
                                                                std::string key);

[[nodiscard]] task<> close_cluster(std::shared_ptr<cluster_core> core);

}  // namespace weir::redisq::detail
