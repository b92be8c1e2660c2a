// The command lines of the examples for the network: every option takes one value, which is checked
// against what --help says about it.
//
//     example::command_line line("echo_server", "A TCP echo server.");
//     line.number("--port", port, 0, 65'535, "to listen on; 0: a free one");
//     if (const std::optional<int> code = line.parse(argc, argv)) { return *code; }
#pragma once

#include <charconv>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <vector>
#include <weir/runtime/net/address.hpp>

namespace example {

class command_line {
  public:
    command_line(const char* program, const char* purpose) : program_(program), purpose_(purpose) {}

    // `target` holds the default, and outlives parse(), as in the following.
    void number(const char* name, std::uint64_t& target, std::uint64_t min, std::uint64_t max,
                const char* help) {
        const std::string range = std::to_string(min) + " to " + std::to_string(max);
        const std::string usual = ", default " + std::to_string(target);
        options_.push_back({name,
                            help + (" (" + range) + usual + ")",
                            range,
                            {.number = &target, .min = min, .max = max}});
    }

    // Has to be given.
    void address(const char* name, weir::socket_address& target, const char* help) {
        const std::string range = "an address with a port, as 127.0.0.1:80 or [::1]:80";
        options_.push_back({name, help + (" (" + range) + ")", range, {.address = &target}});
    }

    // Has to be given unless `target` is not empty.
    void text(const char* name, std::string& target, const char* help) {
        options_.push_back({name, help, "a text that is not empty", {.text = &target}});
    }

    // Where there is a value the program has said all it has to say and ends with that: 0 after
    // --help, 2 after a bad option, which is named on stderr with what is allowed.
    [[nodiscard]] std::optional<int> parse(int argc, const char* const* argv) {
        for (int at = 1; at < argc; ++at) {
            if (std::string_view(argv[at]) == "--help") {
                print_help();
                return 0;
            }
            option* const known = find(argv[at]);
            if (known == nullptr) {
                return refuse("unknown option '" + std::string(argv[at]) + "'", names());
            }
            if (known->is_given) {
                return refuse(std::string(known->name) + " is given twice", "once");
            }
            known->is_given = true;
            if (++at == argc) {
                return refuse(std::string(known->name) + " has no value", known->range);
            }
            if (!take(*known, argv[at])) {
                return refuse(known->name + (" is '" + std::string(argv[at])) + "'", known->range);
            }
        }
        for (const option& each : options_) {
            if (!each.is_given && is_empty(each)) {
                return refuse(std::string(each.name) + " is missing", each.range);
            }
        }
        return std::nullopt;
    }

  private:
    struct destination {
        std::uint64_t* number = nullptr;
        std::uint64_t min = 0;
        std::uint64_t max = 0;
        weir::socket_address* address = nullptr;
        std::string* text = nullptr;
    };
    struct option {
        std::string name;
        std::string help;
        std::string range;
        destination to;
        bool is_given = false;
    };

    option* find(std::string_view name) {
        for (option& each : options_) {
            if (each.name == name) {
                return &each;
            }
        }
        return nullptr;
    }

    [[nodiscard]] static bool is_empty(const option& one) {
        return one.to.address != nullptr || (one.to.text != nullptr && one.to.text->empty());
    }

    [[nodiscard]] static bool take(const option& one, std::string_view value) {
        if (one.to.text != nullptr) {
            *one.to.text = value;
            return !value.empty();
        }
        if (one.to.address != nullptr) {
            const auto parsed = weir::socket_address::parse(value);
            *one.to.address = parsed.value_or(weir::socket_address());
            return parsed.has_value() && parsed->port() != 0;
        }
        const char* const end = value.data() + value.size();
        const auto [rest, error] = std::from_chars(value.data(), end, *one.to.number);
        return error == std::errc() && rest == end && *one.to.number >= one.to.min &&
               *one.to.number <= one.to.max;
    }

    [[nodiscard]] std::string names() const {
        std::string all;
        for (const option& each : options_) {
            all += each.name + " ";
        }
        return all + "--help";
    }

    [[nodiscard]] int refuse(const std::string& what, const std::string& allowed) const {
        std::fprintf(stderr, "%s: %s; allowed: %s\n", program_, what.c_str(), allowed.c_str());
        return 2;
    }

    void print_help() const {
        std::printf("usage: %s [OPTION VALUE]...\n\n%s\n\n", program_, purpose_);
        for (const option& each : options_) {
            std::printf("  %-14s %s\n", each.name.c_str(), each.help.c_str());
        }
        std::printf("  %-14s this text\n", "--help");
    }

    const char* program_;
    const char* purpose_;
    std::vector<option> options_;
};

}  // namespace example
