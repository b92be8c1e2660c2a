// weirq: looks at the job queues of a Redis server, and mends them.
//
// Exit status: 0 done; 1 failed, or no such job; 2 bad options; 130 interrupted.
#include <csignal>
#include <cstdio>
#include <exception>
#include <optional>
#include <stdexcept>
#include <weir/runtime/run.hpp>

#include "commands.hpp"
#include "options.hpp"

int main(int argc, char** argv) {
    weirq::settings chosen;
    if (const std::optional<int> status = weirq::read_command_line(argc, argv, chosen)) {
        return *status;
    }
    const bool is_live = chosen.command == "top";
    weir::run_options options;
    if (is_live || chosen.command == "bench") {  // the others ask, and end by the signal itself
        options.stop_signals = {SIGINT, SIGTERM};
    }
    try {
        return weir::run(weirq::run_command(chosen), options);
    } catch (const weir::canceled&) {
        return is_live ? 0 : 130;
    } catch (const std::invalid_argument& error) {
        std::fprintf(stderr, "weirq: %s\n", error.what());
        return 2;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "weirq: %s\n", error.what());
        return 1;
    }
}
