#include <algorithm>
#include <cmath>

#include "../support/median.hpp"
#include "../support/svg.hpp"
#include "../support/values.hpp"
#include "report.hpp"

namespace resp {
namespace {

using bench::anchor;
using bench::svg;
namespace palette = bench::palette;

constexpr int width = 1'000;
constexpr double head_height = 96;
constexpr double group_height = 40;
constexpr double row_height = 22;
constexpr double section_gap = 50;

struct panel {
    double left;
    double right;
};
constexpr panel left_panel{.left = 160, .right = 450};
constexpr panel right_panel{.left = 640, .right = 930};

// A bar with its name and its value.
struct bar {
    std::string name;
    double value = 0;
    std::string text;
};
using bars = std::vector<bar>;

bool is_ours(const std::string& name) { return name.starts_with("weir"); }

const char* color_of(const std::string& name) {
    return is_ours(name) ? palette::accent : name == "raw" ? palette::pale : palette::other;
}

// Bars of one group share a scale that starts at 0: their lengths may be compared. Returns where
// the next group begins.
double draw_group(svg& page, const panel& on, const std::string& title, const bars& list,
                  double y) {
    page.text({on.left - 130, y + 24}, title, {.size = 13, .color = palette::pale, .bold = true});
    page.line({on.left - 130, y + 32}, {on.right + 40, y + 32}, palette::grid);
    y += group_height;
    double highest = 1e-9;
    for (const bar& each : list) {
        highest = std::max(highest, each.value);
    }
    for (const bar& each : list) {
        const double end = on.left + (on.right - on.left) * each.value / highest;
        const bool ours = is_ours(each.name);
        page.text({on.left - 10, y + 15}, each.name,
                  {.size = 12,
                   .color = ours ? palette::accent : palette::ink,
                   .at = anchor::end,
                   .bold = ours});
        page.rectangle({on.left, y + 3}, end - on.left, row_height - 7, color_of(each.name));
        page.text({end + 6, y + 15}, each.text,
                  {.size = 11, .color = ours ? palette::accent : palette::ink, .bold = ours});
        y += row_height;
    }
    return y;
}

std::string number_text(double value) {
    return value < 100 ? bench::fixed(value, 1)
                       : bench::with_separators(static_cast<std::uint64_t>(std::llround(value)));
}

bars bars_of(const report& of, const shape& which) {
    bars out;
    for (const client_row& each : of.clients) {
        if (each.of == which) {
            // Big replies take microseconds.
            const bool big = which.op == operation::lrange || which.op == operation::get_big;
            const double value = bench::median(each.rounds, &figures::cpu_ns) / (big ? 1e3 : 1);
            out.push_back({each.client, value, number_text(value)});
        }
    }
    return out;
}

bars bars_of(const report& of, const std::string& input) {
    bars out;
    for (const parser_row& each : of.parsers) {
        if (each.input == input) {
            const double value = bench::median(each.rounds, &parser_figures::mb_per_s);
            out.push_back({each.parser, value, number_text(value)});
        }
    }
    return out;
}

bool is_big(const shape& of) { return of.op == operation::lrange || of.op == operation::get_big; }

// Left: SET, big replies. Right: GET, parsers.
struct columns {
    double left = head_height;
    double right = head_height;

    void level() { left = right = std::max(left, right); }
};

std::string without_operation(const shape& of) { return text_of(of).substr(5); }

void draw_small(svg& page, const report& of, columns& at) {
    page.text({left_panel.left - 130, at.left - 12}, "SET: client CPU an operation, ns",
              {.size = 14, .color = palette::ink, .bold = true});
    page.text({right_panel.left - 130, at.left - 12}, "GET: client CPU an operation, ns",
              {.size = 14, .color = palette::ink, .bold = true});
    const client_row* before = nullptr;
    for (const client_row& each : of.clients) {
        const bool again = before != nullptr && before->of == each.of;
        before = &each;
        if (again || is_big(each.of)) {
            continue;
        }
        const bool left = each.of.op == operation::set;
        double& y = left ? at.left : at.right;
        y = draw_group(page, left ? left_panel : right_panel, without_operation(each.of),
                       bars_of(of, each.of), y);
    }
    at.level();
}

void draw_rest(svg& page, const report& of, columns& at) {
    at.left = at.right = at.left + section_gap;
    page.text({left_panel.left - 130, at.left - 12}, "Client CPU a big reply, us",
              {.size = 14, .color = palette::ink, .bold = true});
    page.text({right_panel.left - 130, at.left - 12}, "Parsers, MB/s (longer is better)",
              {.size = 14, .color = palette::ink, .bold = true});
    const client_row* before = nullptr;
    for (const client_row& each : of.clients) {
        const bool again = before != nullptr && before->of == each.of;
        before = &each;
        if (!again && is_big(each.of)) {
            at.left = draw_group(page, left_panel, text_of(each.of), bars_of(of, each.of), at.left);
        }
    }
    std::string input;
    for (const parser_row& each : of.parsers) {
        if (each.input != input) {
            input = each.input;
            at.right = draw_group(page, right_panel, input, bars_of(of, input), at.right);
        }
    }
    at.level();
}

double height_of(const report& of) {
    svg unused(width, 1, "");
    columns at;
    draw_small(unused, of, at);
    draw_rest(unused, of, at);
    return at.left;
}

}  // namespace

std::string picture(const report& of) {
    const double end = height_of(of);
    svg page(width, static_cast<int>(end) + 48,
             "Redis clients: client CPU an operation, CPU of big replies, speed of parsers");
    page.text({24, 34}, "Redis clients", {.size = 20, .color = palette::ink, .bold = true});
    page.text({24, 56}, "one Unix-socket connection, values of 64 bytes, " + of.server);
    columns at;
    draw_small(page, of, at);
    draw_rest(page, of, at);
    page.text({24, end + 32}, of.machine, {.size = 12, .color = palette::pale});
    return std::move(page).finish();
}

}  // namespace resp
