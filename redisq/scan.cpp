#include "scan.hpp"

#include <utility>

namespace weir::redisq {
namespace detail {

scan_words::scan_words(std::string name, std::optional<std::string> of, const scan_options& options)
    : command(std::move(name)) {
    if (of) {
        words.push_back(std::move(*of));
    }
    cursor_place = words.size();
    words.emplace_back("0");
    if (!options.match.empty()) {
        words.insert(words.end(), {"MATCH", options.match});
    }
    words.insert(words.end(), {"COUNT", std::to_string(options.count)});
    if (!options.type.empty() && cursor_place == 0) {
        words.insert(words.end(), {"TYPE", options.type});
    }
}

const std::vector<std::string>& scan_words::at(std::string cursor) {
    words[cursor_place] = std::move(cursor);
    return words;
}

}  // namespace detail

using detail::scan_words;

scanner<std::string> scan_keys(detail::command_interface& redis, const scan_options& options) {
    return {redis, scan_words("SCAN", std::nullopt, options)};
}

scanner<std::pair<std::string, std::string>> scan_hash(detail::command_interface& redis,
                                                       std::string key,
                                                       const scan_options& options) {
    return {redis, scan_words("HSCAN", std::move(key), options)};
}

scanner<std::string> scan_set(detail::command_interface& redis, std::string key,
                              const scan_options& options) {
    return {redis, scan_words("SSCAN", std::move(key), options)};
}

scanner<std::pair<std::string, double>> scan_sorted_set(detail::command_interface& redis,
                                                        std::string key,
                                                        const scan_options& options) {
    return {redis, scan_words("ZSCAN", std::move(key), options)};
}

}  // namespace weir::redisq
