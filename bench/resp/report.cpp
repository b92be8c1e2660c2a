#include "report.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "../support/values.hpp"

namespace resp {
namespace {

template <class Row, class Figures>
double median_of(const Row& of, double Figures::* what) {
    std::vector<double> values;
    values.reserve(of.rounds.size());
    for (const Figures& each : of.rounds) {
        values.push_back(each.*what);
    }
    std::ranges::sort(values);
    const std::size_t middle = values.size() / 2;
    return values.size() % 2 != 0 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

template <class... Values>
std::string line_text(const char* format, const Values&... values) {
    std::array<char, 256> line{};
    std::snprintf(line.data(), line.size(), format, values...);
    return line.data();
}

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
            text += line_text("%-16s %9s %9s %9s %9s %9s\n", "client", "op/s", "CPU ns", "",
                              "p50 us", "p99 us");
        }
        const double base = first->client == "raw" ? median(*first, &figures::cpu_ns) : 0;
        const double cpu = median(each, &figures::cpu_ns);
        text += line_text("%-16s %9s %9s %9s %9s %9s\n", each.client.c_str(),
                          bench::short_number(median(each, &figures::ops_per_s)).c_str(),
                          bench::fixed(cpu, 0).c_str(), ratio_text(cpu, base).c_str(),
                          bench::fixed(median(each, &figures::p50_us), 1).c_str(),
                          bench::fixed(median(each, &figures::p99_us), 1).c_str());
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
            text += line_text("%-16s %9s %9s %22s\n", "parser", "MB/s", "", "allocations a reply");
        }
        const double speed = median(each, &parser_figures::mb_per_s);
        text +=
            line_text("%-16s %9s %9s %22s\n", each.parser.c_str(), bench::fixed(speed, 0).c_str(),
                      ratio_text(speed, median(*first, &parser_figures::mb_per_s)).c_str(),
                      bench::fixed(median(each, &parser_figures::allocations), 2).c_str());
    }
    return text;
}

}  // namespace

double median(const client_row& of, double figures::* what) { return median_of(of, what); }
double median(const parser_row& of, double parser_figures::* what) { return median_of(of, what); }

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
            {"ops_per_s", median(each, &figures::ops_per_s)},
            {"cpu_ns", median(each, &figures::cpu_ns)},
            {"p50_us", median(each, &figures::p50_us)},
            {"p99_us", median(each, &figures::p99_us)},
        });
    }
    for (const parser_row& each : of.parsers) {
        out.push_back({
            {"parser", each.parser},
            {"input", each.input},
            {"mb_per_s", median(each, &parser_figures::mb_per_s)},
            {"allocations", median(each, &parser_figures::allocations)},
        });
    }
    return out.dump(2) + "\n";
}

std::string tables_text(const report& of) {
    return of.machine + "\n" + of.server + "\n" + client_tables(of) + parser_tables(of);
}

}  // namespace resp
