// Runs one echo server; bench/echo starts it. See README.md in the folder above.
#include <sys/prctl.h>

#include <csignal>
#include <cstdio>
#include <exception>
#include <string>

#include "../../support/values.hpp"
#include "server.hpp"

namespace {

constexpr std::uint64_t buffer_bytes_max = 1'048'576;

int serve(std::string_view name, std::string_view buffer) {
    for (const echo::server_entry& each : echo::servers()) {
        if (each.name == name) {
            echo::server_job job(bench::parse_count("BUFFER_BYTES", buffer, 1, buffer_bytes_max));
            each.serve(job);
            return 0;
        }
    }
    std::string names;
    for (const echo::server_entry& each : echo::servers()) {
        names += (names.empty() ? "" : ", ") + std::string(each.name);
    }
    throw bench::option_error("NAME", name, names);
}

}  // namespace

int main(int argc, char** argv) {
    // No server outlives the program that measures it.
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (argc != 3) {
        std::fprintf(stderr,
                     "usage: %s NAME BUFFER_BYTES, with descriptors that bench/echo opens\n",
                     argc > 0 ? argv[0] : "echo_server");
        return 2;
    }
    try {
        return serve(argv[1], argv[2]);
    } catch (const bench::option_error& error) {
        std::fprintf(stderr, "%s: %s\n", argv[0], error.what());
        return 2;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s: %s\n", argv[1], error.what());
        return 1;
    }
}
