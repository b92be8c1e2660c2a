// weir-info: prints what this machine's io_uring offers and what a loop uses of it.
//
// Exit status: 0 io_uring can be used, 1 it cannot (the reason is printed), 2 bad options.
#include <CLI/CLI.hpp>
#include <cstdint>
#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>
#include <weir/runtime/uring_probe.hpp>

namespace {

using json = nlohmann::ordered_json;

constexpr std::uint64_t unlimited = UINT64_MAX;

std::string amount(std::uint64_t value, bool bytes) {
    if (value == unlimited) {
        return "unlimited";
    }
    return bytes ? std::to_string(value / 1024) + " KiB" : std::to_string(value);
}

std::string limit_text(const weir::resource_limit& limit, bool bytes) {
    const std::string soft = amount(limit.soft, bytes);
    const std::string hard = amount(limit.hard, bytes);
    return soft == hard ? soft : soft + " (may be raised to " + hard + ")";
}

template <class T>
std::string text_or_unknown(const std::optional<T>& value) {
    return value ? std::to_string(*value) : "unknown";
}

void print_row(const char* name, const std::string& value) {
    std::printf("%-22s %s\n", name, value.c_str());
}

void print_capabilities(const char* title, const std::vector<weir::uring_capability>& list) {
    std::printf("\n%s\n", title);
    for (const weir::uring_capability& one : list) {
        const char* const state = one.used ? (one.present ? "in use" : "missing")
                                           : (one.present ? "offered" : "not there");
        std::printf("  %-26s %-9s Linux %-5s %s\n", one.name, state, one.since, one.purpose);
    }
}

void print_ring(const weir::uring_report& report) {
    print_row("ring", std::to_string(report.submission_entries) + " submissions, " +
                          std::to_string(report.completion_entries) + " completions");
    print_capabilities("setup flags", report.setup_flags);
    print_capabilities("features", report.features);
    print_capabilities("operations", report.opcodes);
    print_capabilities("found by trying", report.tried);
    const std::vector<std::string> fallbacks = report.fallbacks();
    std::printf("\nfallbacks\n");
    for (const std::string& fallback : fallbacks) {
        std::printf("  %s\n", fallback.c_str());
    }
    if (fallbacks.empty()) {
        std::printf("  none: everything that this version can use is there\n");
    }
}

void print_text(const weir::uring_report& report) {
    print_row("weir", WEIR_VERSION);
    print_row("kernel", report.kernel_release);
    print_row("io_uring", report.available ? "available" : "not available");
    if (!report.available) {
        print_row("reason", report.why_unavailable);
    }
    print_row("io_uring_disabled", report.disabled_sysctl ? std::to_string(*report.disabled_sysctl)
                                                          : "no such sysctl here (Linux 6.6)");
    print_row("RLIMIT_MEMLOCK", limit_text(report.memlock_bytes, true));
    print_row("RLIMIT_NOFILE", limit_text(report.open_files, false));
    print_row("somaxconn", text_or_unknown(report.somaxconn));
    print_row("clock source", report.clock_source.empty() ? "unknown" : report.clock_source);
    print_row("cores", std::to_string(report.cores));
    if (report.available) {
        print_ring(report);
    }
}

json limit_json(const weir::resource_limit& limit) {
    const auto value = [](std::uint64_t number) {
        return number == unlimited ? json(nullptr) : json(number);
    };
    return {{"soft", value(limit.soft)}, {"hard", value(limit.hard)}};
}

json capabilities_json(const std::vector<weir::uring_capability>& list) {
    json out = json::array();
    for (const weir::uring_capability& one : list) {
        out.push_back({{"name", one.name},
                       {"present", one.present},
                       {"used", one.used && one.present},
                       {"since", one.since},
                       {"purpose", one.purpose}});
    }
    return out;
}

template <class T>
json optional_json(const std::optional<T>& value) {
    return value ? json(*value) : json(nullptr);
}

json report_json(const weir::uring_report& report) {
    json out = {{"weir", WEIR_VERSION},
                {"kernel", report.kernel_release},
                {"available", report.available},
                {"errno", report.error},
                {"why_unavailable", report.why_unavailable},
                {"io_uring_disabled", optional_json(report.disabled_sysctl)},
                {"memlock_bytes", limit_json(report.memlock_bytes)},
                {"open_files", limit_json(report.open_files)},
                {"somaxconn", optional_json(report.somaxconn)},
                {"clock_source", report.clock_source},
                {"cores", report.cores}};
    if (report.available) {
        out["submission_entries"] = report.submission_entries;
        out["completion_entries"] = report.completion_entries;
        out["setup_flags"] = capabilities_json(report.setup_flags);
        out["features"] = capabilities_json(report.features);
        out["operations"] = capabilities_json(report.opcodes);
        out["tried"] = capabilities_json(report.tried);
        out["fallbacks"] = report.fallbacks();
    }
    return out;
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App options{
        "Prints what io_uring offers on this machine, what an event loop of weir uses of it, and\n"
        "why it cannot be used where it cannot.\n"
        "Exit status: 0 it can be used, 1 it cannot, 2 bad options."};
    options.name("weir-info");
    bool as_json = false;
    options.add_flag("--json", as_json, "print JSON; an unlimited limit is null");
    options.set_version_flag("--version", std::string("weir-info ") + WEIR_VERSION);
    try {
        options.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return options.exit(error) == 0 ? 0 : 2;
    }
    try {
        const weir::uring_report report = weir::probe_uring();
        if (as_json) {
            std::cout << report_json(report).dump(2) << '\n';
        } else {
            print_text(report);
        }
        return report.available ? 0 : 1;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "weir-info: %s\n", error.what());
        return 1;
    }
}
