#include "cluster_core.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <expected>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include "../../runtime/event_loop.hpp"
#include "../resp/reply.hpp"

namespace weir::redisq::detail {
namespace {

// For a node to tell the slots.
constexpr duration answer_limit = std::chrono::seconds(2);

client_options sound_for_cluster(client_options options) {
    cluster_core::require_sound(options);
    return options;
}

error misread(const char* what) {
    return {make_error_code(errc::protocol_error), std::string("CLUSTER SLOTS: ") + what};
}

template <class Number>
bool read_number(std::string_view text, Number& number) noexcept {
    const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
    return !text.empty() && read.ec == std::errc() && read.ptr == text.data() + text.size();
}

}  // namespace

std::optional<redirect> redirect_in(std::string_view text, const server_host& teller) {
    const std::size_t first = text.find(' ');
    const std::size_t second = text.find(' ', first + 1);
    if (first == std::string_view::npos || second == std::string_view::npos) {
        return std::nullopt;
    }
    redirect found;
    const std::string_view address =
        text.substr(second + 1, text.find(' ', second + 1) - second - 1);
    const std::size_t colon = address.rfind(':');
    if (colon == std::string_view::npos ||
        !read_number(text.substr(first + 1, second - first - 1), found.slot) ||
        found.slot >= slots_max || !read_number(address.substr(colon + 1), found.to.port) ||
        found.to.port == 0) {
        return std::nullopt;
    }
    const std::string_view name = address.substr(0, colon);
    found.to.name = name.empty() ? std::string_view(teller.name) : name;
    return found;
}

void cluster_core::require_sound(const client_options& options) {
    options.require_sound();
    const bool by_host =
        options.server.over == transport::tcp || options.server.over == transport::tls;
    if (!by_host || !options.server.master.empty() || options.server.database != 0) {
        throw std::invalid_argument("client_options::server is " + options.server.to_string() +
                                    "; allowed for a cluster: redis:// or rediss:// with hosts and "
                                    "database 0");
    }
}

cluster_core::cluster_core(client_options options)
    : options_(sound_for_cluster(std::move(options))),
      random_state_(
          reinterpret_cast<std::uintptr_t>(this) ^
          static_cast<std::uint64_t>(event_loop::current()->now().time_since_epoch().count())) {
    slots_.fill(nobody);
}

std::uint64_t cluster_core::draw() noexcept {
    // splitmix64
    random_state_ += 0x9e3779b97f4a7c15U;
    std::uint64_t mixed = random_state_;
    mixed = (mixed ^ (mixed >> 30U)) * 0xbf58476d1ce4e5b9U;
    mixed = (mixed ^ (mixed >> 27U)) * 0x94d049bb133111ebU;
    return mixed ^ (mixed >> 31U);
}

cluster_core::node cluster_core::owner_of(std::uint16_t slot) const noexcept {
    const std::uint16_t index = slots_[slot];
    return index == nobody ? nullptr : nodes_[index];
}

cluster_core::node cluster_core::any() noexcept {
    return nodes_.empty() ? nullptr : nodes_[turn_++ % nodes_.size()];
}

cluster_core::node cluster_core::at(const server_host& where) { return nodes_[index_of(where)]; }

std::size_t cluster_core::index_of(const server_host& where) {
    const auto found =
        std::ranges::find_if(nodes_, [&where](const node& known) { return known->where == where; });
    if (found != nodes_.end()) {
        return static_cast<std::size_t>(found - nodes_.begin());
    }
    client_options own = options_;
    own.server.hosts.assign(1, where);
    // A node that is gone has to be noticed while another may have taken its slots.
    own.connect_attempts = 1;
    nodes_.push_back(std::make_shared<cluster_node>(where, std::move(own)));
    return nodes_.size() - 1;
}

void cluster_core::assign(std::uint16_t slot, const server_host& to) {
    slots_[slot] = static_cast<std::uint16_t>(index_of(to));
}

// The known nodes from a random one on, then the hosts of the URL.
std::vector<server_host> cluster_core::whom_to_ask() {
    std::vector<server_host> hosts;
    const std::size_t first = nodes_.empty() ? 0 : draw() % nodes_.size();
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
        hosts.push_back(nodes_[(first + i) % nodes_.size()]->where);
    }
    for (const server_host& seed : options_.server.hosts) {
        if (std::ranges::find(hosts, seed) == hosts.end()) {
            hosts.push_back(seed);
        }
    }
    return hosts;
}

task<result<void>> cluster_core::refresh(std::uint64_t seen) {
    const mutex::guard guard = co_await refreshing_.lock();
    if (version_ != seen && !is_closed_) {
        co_return result<void>();
    }
    error last(errc::connect_failed);
    const std::vector<server_host> hosts = whom_to_ask();
    for (const server_host& host : hosts) {
        if (is_closed_) {
            break;
        }
        const node teller = at(host);
        const call_options limit = idempotent.within(answer_limit);
        const result<resp::reply> told =
            co_await teller->connection.command<resp::reply>(limit, "CLUSTER", "SLOTS");
        if (is_closed_) {
            break;
        }
        if (told) {
            result<void> read = read_slots(told->view(), host);
            counters_.refreshes += read ? 1 : 0;
            version_ += read ? 1 : 0;
            co_return read;
        }
        last = error(told.error().code(), host.to_string() + ": " + told.error().message());
        if (last.code() == std::errc::operation_canceled) {
            break;
        }
    }
    co_return std::unexpected(is_closed_ ? error(errc::closed) : std::move(last));
}

// [[first, last, [address, port, id], replicas...]...]
result<void> cluster_core::read_slots(const resp::reply_view& ranges, const server_host& teller) {
    // Brings the nodes back that slots_ speaks of, unless all could be read.
    struct exchange {
        explicit exchange(std::vector<node>& now) noexcept : current(now) { before.swap(now); }
        exchange(const exchange&) = delete;
        exchange& operator=(const exchange&) = delete;
        ~exchange() {
            if (!is_complete) {
                before.swap(current);
            }
        }
        std::vector<node>& current;
        std::vector<node> before;
        bool is_complete = false;
    };
    exchange nodes(nodes_);
    std::array<std::uint16_t, slots_max> slots{};
    slots.fill(nobody);
    for (const resp::reply_view range : ranges) {
        if (range.size() < 3 || range[2].size() < 2) {
            return std::unexpected(misread("a range lacks its node"));
        }
        const std::int64_t first = range[0].integer();
        const std::int64_t last = range[1].integer();
        const std::int64_t port = range[2][1].integer();
        if (first < 0 || last < first || last >= slots_max || port < 0 || port > 65'535) {
            return std::unexpected(misread("a slot or a port is out of its range"));
        }
        const std::string_view name = range[2][0].text();
        if (port == 0 || name == "?") {
            continue;  // a node that does not know its own address yet
        }
        const server_host where(std::string(name.empty() ? std::string_view(teller.name) : name),
                                static_cast<std::uint16_t>(port));
        // Connections are kept.
        const auto is_it = [&where](const node& one) { return one->where == where; };
        const auto known = std::ranges::find_if(nodes.before, is_it);
        if (known != nodes.before.end() && std::ranges::none_of(nodes_, is_it)) {
            nodes_.push_back(*known);
        }
        std::fill(slots.begin() + first, slots.begin() + last + 1,
                  static_cast<std::uint16_t>(index_of(where)));
    }
    slots_ = slots;
    nodes.is_complete = true;
    return {};
}

void cluster_core::begin_close() noexcept {
    is_closed_ = true;
    for (const node& one : nodes_) {
        one->connection.core().begin_close();
    }
}

}  // namespace weir::redisq::detail
