// Ours. The copy stands for the socket's, which writes into the parser's memory.
#include <weir/redisq/resp/parser.hpp>

#include <algorithm>
#include <cstring>

#include "parser.hpp"

namespace resp {

parser_figures run_weir_parser(const input& of, std::chrono::nanoseconds window) {
    weir::redisq::resp::parser parser;
    const auto feed = [&parser](std::string_view piece) {
        std::uint64_t found = 0;
        while (!piece.empty()) {
            const std::span<std::byte> room = parser.prepare(piece.size());
            const std::size_t taken = std::min(room.size(), piece.size());
            std::memcpy(room.data(), piece.data(), taken);
            parser.commit(taken);
            piece.remove_prefix(taken);
            for (;; ++found) {
                const auto next = parser.next();
                if (!next) {
                    throw bench::bench_error(next.error().message());
                }
                if (!*next) {
                    break;
                }
            }
        }
        return found;
    };
    return measure_parser(of.resp3, of.replies, window, feed);
}

}  // namespace resp
