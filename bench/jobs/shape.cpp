#include "shape.hpp"

namespace jobs {

std::string_view name_of(phase of) {
    switch (of) {
        case phase::submit_one:
            return "submit_one";
        case phase::submit_concurrent:
            return "submit_concurrent";
        case phase::submit_bulk:
            return "submit_bulk";
        case phase::drain:
            return "drain";
        case phase::steady:
            return "steady";
    }
    return {};
}

std::string_view name_of(durability kept) { return kept == durability::off ? "off" : "everysec"; }

std::string_view name_of(client who) { return who == client::weir ? "weir" : "rq"; }

std::string name_of(const shape& of) {
    return (of.who == client::weir ? "" : "rq_") + std::string(name_of(of.of));
}

bench::append_log log_of(durability kept) {
    return kept == durability::off ? bench::append_log::off : bench::append_log::everysec;
}

}  // namespace jobs
