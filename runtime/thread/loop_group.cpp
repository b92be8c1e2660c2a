#include "loop_group.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>

#include "detail/native_thread.hpp"

namespace weir {
namespace {

constexpr std::size_t loops_max = 1024;

void check(const loop_group_options& options, std::size_t loops) {
    if (loops == 0 || loops > loops_max) {
        throw std::invalid_argument("loop_group_options::loops is " + std::to_string(loops) +
                                    "; allowed: 1 to " + std::to_string(loops_max));
    }
    if (options.loop.clock != nullptr && loops > 1) {
        throw std::invalid_argument("loop_group_options::loop.clock is a manual clock for " +
                                    std::to_string(loops) + " loops; allowed: for 1");
    }
    if (options.name == nullptr) {
        throw std::invalid_argument("loop_group_options::name is null; allowed: a string");
    }
}

}  // namespace

namespace detail {

loop_group_state::loop_group_state(const loop_group_options& options) {
    const std::vector<int> cpus = allowed_cpus();
    const std::size_t loops = options.loops.value_or(std::min(cpus.size(), loops_max));
    check(options, loops);
    threads.reserve(loops);
    for (std::size_t index = 0; index < loops; ++index) {
        loop_thread_options thread;
        thread.loop = options.loop;
        thread.name = std::string(options.name) + '-' + std::to_string(index);
        thread.cpu = options.pin ? cpus[index % cpus.size()] : -1;
        thread.failures = &failures;
        threads.push_back(std::make_unique<loop_thread>(std::move(thread)));
    }
}

loop_group_state::~loop_group_state() {
    for (const auto& thread : threads) {
        thread->request_stop();
    }
    // All have ended before the first loop goes, to which the others may still post.
    for (const auto& thread : threads) {
        thread->join();
    }
}

loop_thread& loop_group_state::at(std::size_t index, const char* call) const {
    if (index >= threads.size()) {
        throw std::out_of_range(std::string("loop_group::") + call + ": loop " +
                                std::to_string(index) + "; allowed: 0 to " +
                                std::to_string(threads.size() - 1));
    }
    return *threads[index];
}

}  // namespace detail

loop_group::loop_group(const loop_group_options& options) : state_(std::in_place, options) {}

loop_group::~loop_group() = default;

event_loop& loop_group::loop(std::size_t index) const {
    return state("loop").at(index, "loop").loop();
}

void loop_group::refuse_own_threads(const char* call) const {
    for (const auto& thread : state(call).threads) {
        thread->refuse_own_thread(call);
    }
}

void loop_group::request_stop() {
    for (const auto& thread : state("request_stop").threads) {
        thread->request_stop();
    }
}

void loop_group::stop() {
    refuse_own_threads("stop");
    request_stop();
    join();
}

void loop_group::join() {
    refuse_own_threads("join");
    detail::loop_group_state& group = state("join");
    for (const auto& thread : group.threads) {
        thread->close();
    }
    for (const auto& thread : group.threads) {
        thread->join();
    }
    group.failures.rethrow_once();
}

}  // namespace weir
