// job_type: the name of a kind of job, with the types of its payload and of its result.
//
//     inline const weir::redisq::job_type<resize, std::string> thumbnail{"thumbnail"};
//     using weir::redisq::raw_payload;
//     inline const weir::redisq::job_type<std::string, void, raw_payload> note{"note"};
//
// Producers and workers share it. The third parameter says how payload and result are written:
// json_payload (the default, by nlohmann::json), messagepack_payload, raw_payload, or one's own.
// `no_payload` stands for a job that carries nothing.
//
// Lifetime: the name has static storage. Thread: any; a constant.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

#include "payload.hpp"

namespace weir::redisq {

template <class Payload = no_payload, class Result = void, class Codec = json_payload>
class job_type {
  public:
    using payload_type = Payload;
    using result_type = Result;
    using codec = Codec;

    // 1 to 255 bytes. Throws std::invalid_argument.
    explicit job_type(std::string_view name) : name_(name) {
        if (name.empty() || name.size() > type_name_max) {
            throw std::invalid_argument("job type's name of " + std::to_string(name.size()) +
                                        " bytes; allowed: 1 to 255");
        }
    }

    [[nodiscard]] std::string_view name() const noexcept { return name_; }

    // Appends the payload that is made of `arguments` as Payload{arguments...}.
    template <class... A>
    void encode(std::string& out, A&&... arguments) const {
        if constexpr (sizeof...(A) == 1 &&
                      (std::is_same_v<std::remove_cvref_t<A>, Payload> && ...)) {
            (Codec::encode(out, arguments), ...);
        } else {
            const Payload made{static_cast<A&&>(arguments)...};
            Codec::encode(out, made);
        }
    }

  private:
    std::string_view name_;
};

}  // namespace weir::redisq
