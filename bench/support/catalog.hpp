// A program's list of what it compares. An entry has a name, a text about it, and `missing`: what
// the build lacked for it, empty where it was built.
#pragma once

#include <algorithm>
#include <cstdio>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "option_values.hpp"

namespace bench {

// Null where there is none of that name.
template <class Entry>
[[nodiscard]] const Entry* find_entry(std::span<const Entry> all, std::string_view name) {
    const auto found = std::ranges::find(all, name, &Entry::name);
    return found == all.end() ? nullptr : &*found;
}

// The names of those that were built: "epoll, libuv".
template <class Entry>
[[nodiscard]] std::string built_names(std::span<const Entry> all) {
    std::string names;
    for (const Entry& each : all) {
        if (each.missing.empty()) {
            names += (names.empty() ? "" : ", ") + std::string(each.name);
        }
    }
    return names;
}

// "all", or names that are separated by commas; throws option_error.
template <class Entry>
[[nodiscard]] std::vector<const Entry*> parse_entries(std::span<const Entry> all,
                                                      const std::string& option,
                                                      const std::string& value) {
    std::vector<const Entry*> out;
    if (value == "all") {
        for (const Entry& each : all) {
            if (each.missing.empty()) {
                out.push_back(&each);
            }
        }
        return out;
    }
    const std::string rule = "all, or of " + built_names(all);
    for (const std::string& name : pieces_of(value)) {
        const Entry* const found = find_entry(all, name);
        if (found == nullptr) {
            throw option_error(option, name, rule);
        }
        if (!found->missing.empty()) {
            std::string text = option + ": '" + name;
            text.append("' was not built, since ").append(found->missing);
            text.append(" was missing; allowed: ").append(rule);
            throw option_error(text);
        }
        append_once(out, found, option, value);
    }
    return out;
}

// One line an entry, on stdout.
template <class Entry>
void print_entries(std::span<const Entry> all) {
    for (const Entry& each : all) {
        std::printf("%-20s %s%s%s\n", std::string(each.name).c_str(),
                    std::string(each.about).c_str(),
                    each.missing.empty() ? "" : "; not built, missing: ",
                    std::string(each.missing).c_str());
    }
}

}  // namespace bench
