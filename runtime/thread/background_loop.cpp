#include "background_loop.hpp"

#include <stdexcept>
#include <string>

namespace weir {
namespace {

detail::loop_thread_options checked(const background_loop_options& options) {
    if (options.max_in_flight == 0) {
        throw std::invalid_argument(
            "background_loop_options::max_in_flight is 0; allowed: 1 or more");
    }
    if (options.name == nullptr) {
        throw std::invalid_argument("background_loop_options::name is null; allowed: a string");
    }
    detail::loop_thread_options thread;
    thread.loop = options.loop;
    thread.name = options.name;
    thread.max_in_flight = options.max_in_flight;
    return thread;
}

}  // namespace

background_loop::background_loop(const background_loop_options& options)
    : thread_(std::in_place, checked(options)) {}

background_loop::~background_loop() = default;

void background_loop::close() { core("close").close(); }

void background_loop::request_stop() { core("request_stop").request_stop(); }

void background_loop::join() { core("join").join(); }

void background_loop::stop() {
    detail::loop_thread& thread = core("stop");
    thread.refuse_own_thread("stop");
    thread.request_stop();
    thread.join();
}

}  // namespace weir
