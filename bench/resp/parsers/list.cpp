#include <array>

#include "parser.hpp"

namespace resp {

std::span<const parser_entry> parsers() {
#ifdef WEIR_RESP_HIREDIS
    constexpr std::string_view missing;
    constexpr auto hiredis = run_hiredis_reader;
#else
    constexpr std::string_view missing = "hiredis";
    constexpr parser_figures (*hiredis)(const input&, std::chrono::nanoseconds) = nullptr;
#endif
    static constexpr std::array list = {
        parser_entry{.name = "hiredis_reader", .missing = missing, .run = hiredis},
        parser_entry{.name = "weir_parser", .missing = {}, .run = run_weir_parser},
    };
    return list;
}

}  // namespace resp
