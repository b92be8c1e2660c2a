// What both uses of hiredis share: a command as hiredis takes it, and a reply looked at.
#pragma once

#include <hiredis/hiredis.h>

#include <array>
#include <string>

#include "../../support/bench_error.hpp"
#include "../shape.hpp"

namespace resp {

struct argument_list {
    explicit argument_list(const command& of) : count(static_cast<int>(of.size())) {
        for (std::size_t index = 0; index < of.size(); ++index) {
            words[index] = of[index].data();
            sizes[index] = of[index].size();
        }
    }

    int count;
    std::array<const char*, 4> words{};
    std::array<std::size_t, 4> sizes{};
};

// Throws where the reply is not what the operation gives; looks at each element of an array.
inline void check_reply(const redisReply* reply, operation op) {
    std::size_t size = 0;
    std::size_t wanted = 0;
    switch (op) {
        case operation::set:
            size = reply->type == REDIS_REPLY_STATUS ? reply->len : 0;
            wanted = 2;
            break;
        case operation::get:
            size = reply->type == REDIS_REPLY_STRING ? reply->len : 0;
            wanted = value_bytes;
            break;
        case operation::get_big:
            size = reply->type == REDIS_REPLY_STRING ? reply->len : 0;
            wanted = big_bytes;
            break;
        case operation::lrange:
            for (std::size_t index = 0; reply->type == REDIS_REPLY_ARRAY && index < reply->elements;
                 ++index) {
                size += reply->element[index]->len;
            }
            wanted = list_length * value_bytes;
            break;
    }
    if (size != wanted) {
        throw bench::bench_error("a reply of type " + std::to_string(reply->type) + " and " +
                                 std::to_string(size) + " bytes instead of " +
                                 std::to_string(wanted));
    }
}

}  // namespace resp
