// expect: the text of a reply is gone when its caller goes on
// The reply lies in the connection's memory, which the next one overwrites.
#include <weir/redisq/client.hpp>

#include <string>
#include <string_view>

weir::task<std::size_t> length(weir::redisq::client& redis) {
#ifdef FIXED
    const auto text = co_await redis.command<std::string>("GET", "key");
#else
    const auto text = co_await redis.command<std::string_view>("GET", "key");
#endif
    co_return text ? text->size() : 0;
}
