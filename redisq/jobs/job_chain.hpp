// job_chain: jobs that follow each other, the result of each being the payload of the next.
//
//     const weir::redisq::job_type<std::string> announce{"announce"};
//     const auto steps = weir::redisq::chain(thumbnail).then(announce);
//     auto last = co_await q.submit(steps, "a.png", 128);   // one after the other
//
// A step that has succeeded ends and queues the next one in one piece, so nothing is lost between
// them. All steps have the id of the first: the handle that submit() yields is of the last one's
// result, and cancels whichever stands or runs. A step that dies ends the chain: it is among the
// dead with what was to follow, and goes on from there when it is retried. Options count for each
// step, but for delay, lane and start_within, which are the first one's; a unique key is held until
// the last one has ended.
//
// Errors: std::invalid_argument for a lane, or for more than 64 steps. What does not fit is refused
// by the compiler: a step takes the result of the one before, in the same format.
// Thread: any; a value.
#pragma once

#include <concepts>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "job_type.hpp"
#include "keys.hpp"

namespace weir::redisq {

inline constexpr std::size_t chain_steps_max = 64;

// One step, without its types.
struct chain_step {
    std::string_view type;
    payload_format format = payload_format::raw;
    int lane = lane_default;
};

template <class First, class Last = First>
class job_chain {
  public:
    explicit job_chain(const First& first)
        : first_(first), steps_(1, {first.name(), First::codec::format, lane_default}) {}

    // The chain with one step more. A job without payload follows one without result.
    template <class P, class R, class C>
    [[nodiscard]] job_chain<First, job_type<P, R, C>> then(const job_type<P, R, C>& next,
                                                           int lane = lane_default) const {
        using result = typename Last::result_type;
        static_assert(
            std::same_as<P, result> || (std::is_void_v<result> && std::same_as<P, no_payload>),
            "a step takes the result of the one before");
        static_assert(C::format == Last::codec::format,
                      "the steps of a chain write their payloads in the same format");
        if (lane < 0 || lane >= static_cast<int>(lane_count)) {
            throw std::invalid_argument("chain: lane is " + std::to_string(lane) +
                                        "; allowed: 0 to 3");
        }
        if (steps_.size() == chain_steps_max) {
            throw std::invalid_argument("chain: more than 64 steps; allowed: 1 to 64");
        }
        std::vector<chain_step> steps = steps_;
        steps.push_back({next.name(), C::format, lane});
        return job_chain<First, job_type<P, R, C>>(first_, std::move(steps));
    }

    [[nodiscard]] const First& first() const noexcept { return first_; }
    [[nodiscard]] const std::vector<chain_step>& steps() const noexcept { return steps_; }

  private:
    template <class OtherFirst, class OtherLast>
    friend class job_chain;

    job_chain(const First& first, std::vector<chain_step> steps)
        : first_(first), steps_(std::move(steps)) {}

    First first_;
    std::vector<chain_step> steps_;
};

// A chain of one step, to which others are added.
template <class P, class R, class C>
[[nodiscard]] job_chain<job_type<P, R, C>> chain(const job_type<P, R, C>& first) {
    return job_chain<job_type<P, R, C>>(first);
}

}  // namespace weir::redisq
