// Commands of any words: the parser gets back exactly these words.
//
// The first byte is how long a word is.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include <weir/redisq/resp/decode.hpp>
#include <weir/redisq/resp/encoder.hpp>
#include <weir/redisq/resp/parser.hpp>

#include "support/resp.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    namespace resp = weir::redisq::resp;
    if (size == 0) {
        return 0;
    }
    std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
    std::vector<std::string> words;
    while (!bytes.empty()) {
        words.emplace_back(bytes.substr(0, 1U + data[0]));
        bytes.remove_prefix(words.back().size());
    }
    resp::command_buffer commands;
    commands.add("ECHO", words, static_cast<std::int64_t>(size), 0.5);
    words.insert(words.begin(), "ECHO");
    words.push_back(std::to_string(size));
    words.emplace_back("0.5");

    resp::parser replies;
    weir::test::receive(
        replies, {reinterpret_cast<const char*>(commands.bytes().data()), commands.bytes().size()});
    const auto command = replies.next();
    if (!command || !*command || replies.buffered() != 0 ||
        resp::decode<std::vector<std::string>>(**command) != words) {
        std::abort();
    }
    return 0;
}
