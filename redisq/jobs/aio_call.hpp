// aio_call: one element of an nb_aio_task list, {"args": [...], "kwargs": {...}}.
//
//     weir::redisq::aio_call call;
//     call.args = {3, 4};
//     const std::string text = weir::redisq::write_aio_call(call);
//     const auto back = weir::redisq::read_aio_call(text);
//
// Errors: redisq::exception: job_errc::pickled for a pickle, which Python's use_pickle=True makes
// and which runs code when it is read (use_pickle=False at the producer is the cure);
// job_errc::bad_payload for anything else that is no such object.
// Thread: any; a value.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "payload.hpp"

namespace weir::redisq {

struct aio_call {
    nlohmann::json args = nlohmann::json::array();
    nlohmann::json kwargs = nlohmann::json::object();
};

[[nodiscard]] std::string write_aio_call(const aio_call& call);
[[nodiscard]] aio_call read_aio_call(std::string_view text);

namespace detail {

// The i-th argument: by its place, else by its name. Throws job_errc::bad_payload.
[[nodiscard]] const nlohmann::json& aio_argument(const aio_call& call, std::size_t index,
                                                 const std::vector<std::string>& names);
// Throws where the call has more than `count` arguments, or one by a name that is not known.
void check_aio_arguments(const aio_call& call, std::size_t count,
                         const std::vector<std::string>& names);

template <class... A>
std::tuple<A...> aio_arguments(const aio_call& call, const std::vector<std::string>& names) {
    check_aio_arguments(call, sizeof...(A), names);
    return [&]<std::size_t... I>(std::index_sequence<I...>) {
        return std::tuple<A...>(from_payload<A>(aio_argument(call, I, names))...);
    }(std::index_sequence_for<A...>());
}

}  // namespace detail
}  // namespace weir::redisq
