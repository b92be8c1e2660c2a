#include "value_of.hpp"

namespace weir::redisq::detail {

error wrong_reply(const resp::decode_error& why) {
    return {make_error_code(errc::wrong_reply_type), why.message()};
}

}  // namespace weir::redisq::detail
