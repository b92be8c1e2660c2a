// Another program, run to its end.
//
// Thread: for a program with one thread, since it forks.
#pragma once

#include <string>
#include <vector>

namespace bench {

struct finished {
    std::string text;   // what it wrote to stdout
    int status = 0;     // its exit status; 128 and more: a signal ended it
    double cpu_ns = 0;  // user and system
};

// `words` are the path of the program and its arguments. It is killed when this process ends.
// Throws bench_error where it cannot be started.
[[nodiscard]] finished run_captured(std::vector<std::string> words);

}  // namespace bench
