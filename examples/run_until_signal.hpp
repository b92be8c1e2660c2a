// How the examples that may run for long end: in order at SIGINT and SIGTERM, with one line about
// what went wrong otherwise. Exit status: 0 ended or stopped, 1 failed, 2 bad option.
#pragma once

#include <csignal>
#include <cstdio>
#include <exception>
#include <functional>
#include <stdexcept>
#include <type_traits>
#include <utility>
#include <weir/runtime.hpp>

namespace example {

// The exit status of `body`, or of what it throws, which is said.
template <class F>
int exit_status_of(const char* program, const F& body) {
    try {
        return body();
    } catch (const weir::canceled&) {
        std::puts("stopped");
        return 0;
    } catch (const std::invalid_argument& error) {
        std::fprintf(stderr, "%s: %s\n", program, error.what());
        return 2;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s: %s\n", program, error.what());
        return 1;
    }
}

// A signal asks the task to stop. With `drain`, the first one calls that, so that the task can end
// what it has begun, and the second one asks it to stop.
template <class T>
int run_until_signal(const char* program, weir::task<T> main_task,
                     const std::function<void()>& drain = nullptr) {
    weir::run_options options;
    options.stop_signals = {SIGINT, SIGTERM};
    bool drained = false;
    if (drain) {
        options.on_first_signal = [&drain, &drained] {
            drained = true;
            drain();
        };
    }
    return exit_status_of(program, [&] {
        int status = 0;
        if constexpr (std::is_void_v<T>) {
            weir::run(std::move(main_task), options);
        } else {
            status = weir::run(std::move(main_task), options);
        }
        if (drained) {
            std::puts("stopped");
        }
        return status;
    });
}

}  // namespace example
