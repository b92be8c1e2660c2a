#include "report.hpp"

#include <nlohmann/json.hpp>

#include "../support/median.hpp"
#include "../support/values.hpp"

namespace resp {
namespace {

std::string ratio_text(double value, double base) {
    return base > 0 ? bench::fixed(value / base, 2) + " x" : "-";
}

std::string client_tables(const report& of) {
    std::string text;
    const client_row* first = nullptr;
    for (const client_row& each : of.clients) {
        if (first == nullptr || !(first->of == each.of)) {
            first = &each;
            text += '\n';
            text += text_of(each.of);
            text += '\n';
            text += bench::formatted("%-16s %9s %9s %9s %9s %9s\n", "client", "op/s", "CPU ns", "",
                                     "p50 us", "p99 us");
        }
        const double base =
            first->client == "raw" ? bench::median(first->rounds, &figures::cpu_ns) : 0;
        const double cpu = bench::median(each.rounds, &figures::cpu_ns);
        text += bench::formatted(
            "%-16s %9s %9s %9s %9s %9s\n", each.client.c_str(),
            bench::short_number(bench::median(each.rounds, &figures::ops_per_s)).c_str(),
            bench::fixed(cpu, 0).c_str(), ratio_text(cpu, base).c_str(),
            bench::fixed(bench::median(each.rounds, &figures::p50_us), 1).c_str(),
            bench::fixed(bench::median(each.rounds, &figures::p99_us), 1).c_str());
    }
    return text;
}

std::string parser_tables(const report& of) {
    std::string text;
    const parser_row* first = nullptr;
    for (const parser_row& each : of.parsers) {
        if (first == nullptr || first->input != each.input) {
            first = &each;
            text += "\nParsing ";
            text += each.input;
            text += '\n';
            text += bench::formatted("%-16s %9s %9s %22s\n", "parser", "MB/s", "",
                                     "allocations a reply");
        }
        const double speed = bench::median(each.rounds, &parser_figures::mb_per_s);
        text += bench::formatted(
            "%-16s %9s %9s %22s\n", each.parser.c_str(), bench::fixed(speed, 0).c_str(),
            ratio_text(speed, bench::median(first->rounds, &parser_figures::mb_per_s)).c_str(),
            bench::fixed(bench::median(each.rounds, &parser_figures::allocations), 2).c_str());
    }
    return text;
}

}  // namespace

std::string to_json(const report& of) {
    using json = nlohmann::ordered_json;
    json out = json::array();
    for (const client_row& each : of.clients) {
        out.push_back({
            {"client", each.client},
            {"op", name_of(each.of.op)},
            {"mode", name_of(each.of.how)},
            {"depth", each.of.depth},
            {"rounds", each.rounds.size()},
            {"ops_per_s", bench::median(each.rounds, &figures::ops_per_s)},
            {"cpu_ns", bench::median(each.rounds, &figures::cpu_ns)},
            {"p50_us", bench::median(each.rounds, &figures::p50_us)},
            {"p99_us", bench::median(each.rounds, &figures::p99_us)},
        });
    }
    for (const parser_row& each : of.parsers) {
        out.push_back({
            {"parser", each.parser},
            {"input", each.input},
            {"mb_per_s", bench::median(each.rounds, &parser_figures::mb_per_s)},
            {"allocations", bench::median(each.rounds, &parser_figures::allocations)},
        });
    }
    return out.dump(2) + "\n";
}

std::string tables_text(const report& of) {
    return of.machine + "\n" + of.server + "\n" + client_tables(of) + parser_tables(of);
}

}  // namespace resp
