#include "option_values.hpp"

namespace bench {

std::vector<std::string> pieces_of(const std::string& list) {
    std::vector<std::string> out;
    std::size_t begin = 0;
    for (std::size_t end = 0; end != std::string::npos; begin = end + 1) {
        end = list.find(',', begin);
        out.push_back(list.substr(begin, end - begin));
    }
    return out;
}

std::vector<std::uint64_t> parse_counts(const std::string& option, const std::string& value,
                                        std::uint64_t high) {
    std::vector<std::uint64_t> out;
    for (const std::string& piece : pieces_of(value)) {
        append_once(out, parse_count(option, piece, 1, high), option, value);
    }
    return out;
}

double parse_number(const std::string& option, const std::string& value, double low, double high,
                    const char* rule) {
    const auto number = number_in<double>(value);
    // Written so that it refuses what is not a number, too.
    if (!number || !(*number >= low && *number <= high)) {
        throw option_error(option, value, rule);
    }
    return *number;
}

double parse_seconds(const std::string& option, const std::string& value) {
    return parse_number(option, value, 0.01, 600, "0.01..600");
}

std::string value_or(const raw_values& raw, const std::string& option, const char* standard) {
    const auto found = raw.find(option);
    return found == raw.end() ? standard : found->second;
}

std::string path_in(const raw_values& raw, const std::string& option) {
    const auto found = raw.find(option);
    if (found == raw.end()) {
        return {};
    }
    if (found->second.empty() || found->second.starts_with("--")) {
        throw option_error(option, found->second, "the path of a file");
    }
    return found->second;
}

}  // namespace bench
