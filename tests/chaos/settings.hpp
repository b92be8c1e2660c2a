// What an actor is told on its command line: NAME=VALUE, all of them required.
//
// Errors: std::invalid_argument. Thread: one.
#pragma once

#include <charconv>
#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>

namespace chaos {

class settings {
  public:
    void add(std::string_view argument) {
        const std::size_t at = argument.find('=');
        if (at == std::string_view::npos) {
            throw std::invalid_argument("argument '" + std::string(argument) +
                                        "'; allowed: NAME=VALUE");
        }
        values_[std::string(argument.substr(0, at))] = argument.substr(at + 1);
    }

    [[nodiscard]] const std::string& text(const std::string& name) const {
        const auto found = values_.find(name);
        if (found == values_.end()) {
            throw std::invalid_argument("argument " + name + "=VALUE is missing");
        }
        return found->second;
    }

    [[nodiscard]] std::int64_t number(const std::string& name) const {
        const std::string& value = text(name);
        std::int64_t parsed = 0;
        const auto [end, code] = std::from_chars(value.data(), value.data() + value.size(), parsed);
        if (code != std::errc() || end != value.data() + value.size()) {
            throw std::invalid_argument(name + " is '" + value + "'; allowed: a number");
        }
        return parsed;
    }

  private:
    std::map<std::string, std::string> values_;
};

}  // namespace chaos
