// What the examples with Redis have in common: the URL comes from the command line, or names a
// private server. Exit status: 0 done, 1 failed, 2 bad command line.
#pragma once

#include <cstdio>
#include <exception>
#include <stdexcept>
#include <weir/runtime.hpp>

namespace example {

inline int run_with_url(int argc, char** argv, weir::task<> (*main_task)(const char* url)) {
    if (argc > 2) {
        std::fprintf(stderr, "'%s' is one argument too many; allowed: a URL\n", argv[2]);
        return 2;
    }
    try {
        weir::run(main_task(argc == 2 ? argv[1] : "embedded://"));
        return 0;
    } catch (const std::invalid_argument& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 2;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
}

}  // namespace example
