#include "strategies.hpp"

#include <weir/runtime/assert.hpp>

namespace million_tasks {
namespace {

template <class Input>
strategy find(std::string_view name) {
    constexpr std::pair<std::string_view, strategy> all[] = {
        {"pool", &pool_strategy<Input>},
        {"semaphore", &semaphore_strategy<Input>},
        {"task_group", &task_group_strategy<Input>},
        {"batches", &batches_strategy<Input>},
        {"queue", &queue_strategy<Input>},
        {"run", &run_strategy<Input>},
    };
    for (const auto& [known, function] : all) {
        if (known == name) {
            return function;
        }
    }
    return nullptr;
}

}  // namespace

strategy find_strategy(std::string_view name, std::uint64_t payload_bytes) {
    const strategy found = payload_bytes == 0 ? find<number>(name) : find<text>(name);
    WEIR_ASSERT(found != nullptr, "a strategy has a name that is listed in strategy_names()");
    return found;
}

}  // namespace million_tasks
