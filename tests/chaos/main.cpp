// chaos_actor: the processes that scripts/chaos starts, kills and stops.
//
//     chaos_actor worker|producer|proxy NAME=VALUE...
#include <cstdio>
#include <exception>
#include <functional>
#include <map>
#include <span>
#include <stdexcept>
#include <string>

#include "actors.hpp"

namespace {

int act(std::span<char*> words) {
    static const std::map<std::string, std::function<int(const chaos::settings&)>> actors = {
        {"worker", &chaos::run_worker},
        {"producer", &chaos::run_producer},
        {"proxy", &chaos::run_proxy},
    };
    const auto actor = words.size() < 2 ? actors.end() : actors.find(words[1]);
    if (actor == actors.end()) {
        throw std::invalid_argument("usage: chaos_actor worker|producer|proxy NAME=VALUE...");
    }
    chaos::settings chosen;
    for (const char* const word : words.subspan(2)) {
        chosen.add(word);
    }
    chaos::shift_clock(chosen.text("clock"));
    return actor->second(chosen);
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return act(std::span(argv, static_cast<std::size_t>(argc)));
    } catch (const std::invalid_argument& wrong) {
        std::fprintf(stderr, "chaos_actor: %s\n", wrong.what());
        return 2;
    } catch (const std::exception& failed) {
        std::fprintf(stderr, "chaos_actor: %s\n", failed.what());
        return 1;
    }
}
