#include "record.hpp"

#include <algorithm>
#include <exception>
#include <tuple>

namespace jobs {

row& record::row_of(const shape& of) {
    std::vector<row>& rows = out_.figures.rows;
    const auto found = std::ranges::find(rows, of, &row::of);
    return found != rows.end() ? *found : rows.emplace_back(row{of, {}, {}, {}});
}

void record::attempt(const shape& of, const std::function<void()>& work) {
    const std::string text = text_of(of);
    if (failed_.contains(text)) {
        return;
    }
    progress_.say(place_ + text);
    try {
        work();
    } catch (const std::exception& error) {
        failed_.insert(text);
        out_.failed = true;
        out_.notes.push_back(text + ": " + error.what());
    }
}

outcome record::finish() && {
    progress_.say("");
    std::vector<row>& rows = out_.figures.rows;
    std::ranges::sort(rows, {}, [](const row& each) {
        return std::tuple(each.of.kept, each.of.who, each.of.of, each.of.threads);
    });
    std::erase_if(rows, [](const row& each) { return each.rounds.empty(); });
    return std::move(out_);
}

std::string record::text_of(const shape& of) {
    const std::string who = of.threads == 0   ? "by hand"
                            : of.threads == 1 ? "1 thread"
                                              : std::to_string(of.threads) + " threads";
    return name_of(of) + ", " + std::string(name_of(of.kept)) + ", " + who;
}

}  // namespace jobs
