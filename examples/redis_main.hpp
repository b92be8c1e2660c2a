// What the examples with Redis have in common: the URL comes from the command line, or is a usual
// one. Exit status: 0 done or stopped, 1 failed, 2 bad command line.
#pragma once

#include <concepts>
#include <cstdio>
#include <string_view>
#include <type_traits>

#include "run_until_signal.hpp"

namespace example {

// `main_function` takes the URL, and gives a task or, where it waits by itself, the exit status.
template <class F>
    requires(std::invocable<F, const char*>)
int run_with_url(int argc, char** argv, F main_function, const char* usual = "embedded://") {
    const char* const program = argv[0];
    if (argc > 2) {
        std::fprintf(stderr, "%s: '%s' is one argument too many; allowed: a URL\n", program,
                     argv[2]);
        return 2;
    }
    if (argc == 2 && std::string_view(argv[1]) == "--help") {
        std::printf(
            "usage: %s [URL]\n\n  URL   of Redis, as redis://host:port, unix:///path or\n"
            "        embedded://, which starts a private server; default %s\n",
            program, usual);
        return 0;
    }
    const char* const url = argc == 2 ? argv[1] : usual;
    if constexpr (std::is_same_v<std::invoke_result_t<F, const char*>, int>) {
        return exit_status_of(program, [&] { return main_function(url); });
    } else {
        return run_until_signal(program, main_function(url));
    }
}

}  // namespace example
