// The jobs of the chaos run.
//
// Thread: any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <weir/redisq/jobs/job_type.hpp>

namespace chaos {

struct order {
    std::string token;         // of this submit alone; the checker's name of the job
    std::int64_t run_us = 0;   // how long it takes
    std::uint32_t fails = 0;   // so many first attempts
    bool is_hopeless = false;  // gives up, and belongs to the dead
    std::string filler;        // filler_of(token, its size)
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(order, token, run_us, fails, is_hopeless, filler)

// Bytes that tell whether a payload was damaged.
inline std::string filler_of(std::string_view token, std::size_t size) {
    std::string filler;
    for (std::size_t i = 0; i < size; ++i) {
        filler +=
            static_cast<char>('a' + (static_cast<unsigned char>(token[i % token.size()]) + i) % 26);
    }
    return filler;
}

inline constexpr std::string_view queue_name = "chaos";

inline const weir::redisq::job_type<order> plain_order{"order"};
// Leaves a result behind, so that its end is a script.
inline const weir::redisq::job_type<order, std::string> answered_order{"answered"};

}  // namespace chaos
