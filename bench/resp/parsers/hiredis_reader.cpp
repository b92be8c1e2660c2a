// hiredis's reader, which knows RESP2 only: a map reaches it as an array.
#include <hiredis/hiredis.h>

#include <memory>

#include "parser.hpp"

namespace resp {

parser_figures run_hiredis_reader(const input& of, std::chrono::nanoseconds window) {
    const std::unique_ptr<redisReader, void (*)(redisReader*)> reader(redisReaderCreate(),
                                                                      redisReaderFree);
    const auto feed = [&reader](std::string_view piece) {
        redisReaderFeed(reader.get(), piece.data(), piece.size());
        for (std::uint64_t found = 0;; ++found) {
            void* reply = nullptr;
            if (redisReaderGetReply(reader.get(), &reply) != REDIS_OK) {
                throw bench::bench_error(std::string("hiredis: ") + reader->errstr);
            }
            if (reply == nullptr) {
                return found;
            }
            freeReplyObject(reply);
        }
    };
    return measure_parser(of.resp2, of.replies, window, feed);
}

}  // namespace resp
