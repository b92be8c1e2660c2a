// A pipeline on its way through a cluster.
//
// Thread: the loop's.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "../../runtime/task.hpp"
#include "../call_options.hpp"
#include "../errors.hpp"
#include "../pipeline.hpp"
#include "../replies.hpp"
#include "cluster_core.hpp"

namespace weir::redisq::detail {

// In rounds: each sends what has no reply yet to the nodes that have the slots, and reads where the
// rest has to go. Where `slot` is given, that of all commands is taken for known, and those without
// keys go to its node as well.
[[nodiscard]] task<result<replies>> run_on_cluster(
    std::shared_ptr<cluster_core> core, pipeline commands, call_options options,
    std::optional<std::uint16_t> slot = std::nullopt);

// Whether a command that ended so has not run, or may run twice, and is worth another round.
[[nodiscard]] bool is_worth_a_round(const error& said, const call_options& options) noexcept;

[[nodiscard]] task<result<void>> refresh_cluster(std::shared_ptr<cluster_core> core);

[[nodiscard]] task<result<std::shared_ptr<client>>> find_client(std::shared_ptr<cluster_core> core,
                                                                std::string key);

[[nodiscard]] task<> close_cluster(std::shared_ptr<cluster_core> core);

}  // namespace weir::redisq::detail
