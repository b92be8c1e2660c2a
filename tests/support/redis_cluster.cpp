#include "support/redis_cluster.hpp"

#include <algorithm>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string_view>

namespace weir::test {
namespace {

constexpr std::size_t nodes_max = 6;
// Short while the nodes find each other, for its half is how often they ask.
constexpr std::chrono::milliseconds node_timeout_first = std::chrono::seconds(1);
constexpr std::chrono::milliseconds node_timeout_usual = std::chrono::seconds(10);

void expect_ok(const std::string& reply, const std::string& what) {
    if (reply != "OK") {
        throw std::runtime_error(what + " gave " + reply);
    }
}

// Keeps the start of a group short: all its processes start before the first is waited for.
std::unique_ptr<redis_server> launched(redis_settings settings) {
    return std::make_unique<redis_server>(std::move(settings.on_tcp().without_waiting()));
}

// What a node knows of each, without what changes all the time: a line of "ID ADDRESS FLAGS MASTER
// PINGED PONGED EPOCH LINK SLOTS..." is cut.
std::set<std::string> view_of(redis_server& node) {
    std::istringstream lines(node.command({"CLUSTER", "NODES"}));
    std::set<std::string> known;
    for (std::string line; std::getline(lines, line);) {
        std::istringstream words(line);
        std::string id;
        std::string flags;
        std::string master;
        std::string epoch;
        std::string passed;
        words >> id >> passed >> flags >> master >> passed >> passed >> epoch;
        const std::string own = "myself,";
        flags.erase(0, flags.starts_with(own) ? own.size() : 0);
        std::string entry = id;
        entry.append(" ").append(flags).append(" ").append(master).append(" ").append(epoch);
        for (std::string word; words >> word;) {
            if (word.front() != '[') {  // "[93-<-ID]": a slot that moves
                entry.append(" ").append(word);
            }
        }
        known.insert(entry);
    }
    return known;
}

}  // namespace

redis_cluster::redis_cluster(const redis_settings& settings, bool with_replicas) {
    redis_settings own = settings;
    // Each change of slots or votes is written to disk before the node goes on.
    own.in_memory()
        .line("cluster-enabled yes")
        .line("cluster-node-timeout " + std::to_string(node_timeout_first.count()))
        .line("cluster-replica-validity-factor 0")
        .line("appendonly no");
    for (std::size_t i = 0; i < (with_replicas ? nodes_max : masters); ++i) {
        nodes_.push_back(launched(own));
    }
    for (const auto& node : nodes_) {
        node->wait_until_ready();
    }
    introduce();
    if (with_replicas) {
        add_replicas();
    }
    wait_until_ok();
    set_node_timeout(node_timeout_usual);
}

void redis_cluster::introduce() {
    for (std::size_t i = 0; i < masters; ++i) {
        const std::size_t begin = slots * i / masters;
        const std::size_t end = slots * (i + 1) / masters - 1;
        expect_ok(node(i).command(
                      {"CLUSTER", "ADDSLOTSRANGE", std::to_string(begin), std::to_string(end)}),
                  "CLUSTER ADDSLOTSRANGE");
    }
    for (std::size_t i = 0; i < size(); ++i) {
        expect_ok(node(i).command({"CLUSTER", "SET-CONFIG-EPOCH", std::to_string(i + 1)}),
                  "CLUSTER SET-CONFIG-EPOCH");
    }
    // Everybody meets everybody, instead of waiting for gossip.
    for (std::size_t i = 0; i < size(); ++i) {
        for (std::size_t other = 0; other < i; ++other) {
            const std::string bus = node(other).command({"CONFIG", "GET", "cluster-port"});
            expect_ok(
                node(i).command({"CLUSTER", "MEET", "127.0.0.1", std::to_string(node(other).port()),
                                 bus.substr(bus.find('\n') + 1)}),
                "CLUSTER MEET");
        }
    }
}

void redis_cluster::add_replicas() {
    for (std::size_t i = masters; i < size(); ++i) {
        const std::string master = id(i - masters);
        const bool made =
            becomes_true([&] { return node(i).command({"CLUSTER", "REPLICATE", master}) == "OK"; });
        if (!made) {
            throw std::runtime_error("a node of the cluster does not become a replica");
        }
    }
}

void redis_cluster::wait_until_ok() {
    const std::string known = "cluster_known_nodes:" + std::to_string(size());
    const bool fine = becomes_true([&] {
        return std::ranges::all_of(nodes_, [&](const auto& node) {
            if (node->pid() < 0) {
                return true;
            }
            const std::string info = node->command({"CLUSTER", "INFO"});
            const std::string replication = node->command({"INFO", "replication"});
            return info.find("cluster_state:ok") != std::string::npos &&
                   info.find(known) != std::string::npos &&
                   replication.find("master_link_status:down") == std::string::npos;
        });
    });
    if (!fine) {
        throw std::runtime_error("the cluster does not come up");
    }
    wait_until_agreed();
}

bool redis_cluster::do_agree() {
    std::set<std::string> first;
    return std::ranges::all_of(nodes_, [&first](const auto& node) {
        if (node->pid() < 0) {
            return true;
        }
        const std::set<std::string> view = view_of(*node);
        if (first.empty()) {
            first = view;
        }
        return view == first;
    });
}

void redis_cluster::wait_until_agreed() {
    if (!becomes_true([this] { return do_agree(); })) {
        std::string views = "the nodes of the cluster do not agree:";
        for (const auto& node : nodes_) {
            views += node->pid() < 0 ? "" : "\n\n" + node->command({"CLUSTER", "NODES"});
        }
        throw std::runtime_error(views);
    }
}

void redis_cluster::set_node_timeout(std::chrono::milliseconds limit) {
    for (const auto& node : nodes_) {
        expect_ok(
            node->command({"CONFIG", "SET", "cluster-node-timeout", std::to_string(limit.count())}),
            "CONFIG SET cluster-node-timeout");
    }
}

void redis_cluster::hasten_failover() {
    set_node_timeout(node_timeout_first);
    wait_until_ok();
}

std::string redis_cluster::url() const {
    std::string text = "redis://";
    for (const auto& node : nodes_) {
        text +=
            (node == nodes_.front() ? "127.0.0.1:" : ",127.0.0.1:") + std::to_string(node->port());
    }
    return text;
}

std::string redis_cluster::id(std::size_t index) {
    return node(index).command({"CLUSTER", "MYID"});
}

void redis_cluster::begin_move(std::uint32_t slot, std::size_t from, std::size_t to) {
    const std::string number = std::to_string(slot);
    expect_ok(node(to).command({"CLUSTER", "SETSLOT", number, "IMPORTING", id(from)}), "IMPORTING");
    expect_ok(node(from).command({"CLUSTER", "SETSLOT", number, "MIGRATING", id(to)}), "MIGRATING");
}

std::size_t redis_cluster::move_keys(std::uint32_t slot, std::size_t from, std::size_t to,
                                     std::size_t count) {
    std::istringstream keys(node(from).command(
        {"CLUSTER", "GETKEYSINSLOT", std::to_string(slot), std::to_string(count)}));
    std::vector<std::string> migrate = {
        "MIGRATE", "127.0.0.1", std::to_string(node(to).port()), "", "0", "5000", "KEYS"};
    const std::size_t words = migrate.size();
    for (std::string key; std::getline(keys, key);) {
        migrate.push_back(key);
    }
    if (migrate.size() > words) {
        expect_ok(node(from).command(migrate), "MIGRATE");
    }
    return migrate.size() - words;
}

void redis_cluster::end_move(std::uint32_t slot, std::size_t to) {
    const std::string owner = id(to);
    expect_ok(node(to).command({"CLUSTER", "SETSLOT", std::to_string(slot), "NODE", owner}),
              "SETSLOT NODE");
    for (std::size_t i = 0; i < masters; ++i) {
        expect_ok(node(i).command({"CLUSTER", "SETSLOT", std::to_string(slot), "NODE", owner}),
                  "SETSLOT NODE");
    }
    // Each move has a number (the epoch) of the new owner's choice. Where the next owner chooses
    // before it has heard of this one, both choose the same, and some nodes may believe the wrong
    // one.
    wait_until_agreed();
}

void redis_cluster::move(std::uint32_t slot, std::size_t from, std::size_t to) {
    begin_move(slot, from, to);
    while (move_keys(slot, from, to, 1'000) != 0) {
    }
    end_move(slot, to);
}

redis_sentinels::redis_sentinels(const redis_settings& settings) {
    servers_[0] = launched(settings);
    servers_[0]->wait_until_ready();
    redis_settings follower = settings;
    follower.line("replicaof 127.0.0.1 " + std::to_string(master().port()));
    servers_[1] = launched(follower);
    replica().wait_until_ready();
    // A sentinel asks a master for its replicas when it meets it, and then every ten seconds.
    if (!becomes_true([&] {
            return replica().command({"INFO", "replication"}).find("master_link_status:up") !=
                   std::string::npos;
        })) {
        throw std::runtime_error("the replica does not reach its master");
    }
    for (auto& sentinel : sentinels_) {
        redis_settings own;
        // What sentinels decide is written to disk before they go on.
        own.sentinel()
            .in_memory()
            .line("sentinel monitor mymaster 127.0.0.1 " + std::to_string(master().port()) + " 2")
            .line("sentinel down-after-milliseconds mymaster 500")
            .line("sentinel failover-timeout mymaster 3000");
        sentinel = launched(own);
    }
    const auto knows_all = [](const std::unique_ptr<redis_server>& sentinel) {
        const std::string told =
            "\n" + sentinel->command({"SENTINEL", "MASTER", "mymaster"}) + "\n";
        return told.find("\nnum-other-sentinels\n2\n") != std::string::npos &&
               told.find("\nnum-slaves\n1\n") != std::string::npos;
    };
    for (auto& sentinel : sentinels_) {
        sentinel->wait_until_ready();
        // One that has stood still for two seconds does nothing for the tilt-period, by default
        // half a minute.
        expect_ok(sentinel->command({"SENTINEL", "DEBUG", "info-period", "300", "publish-period",
                                     "300", "tilt-period", "1000"}),
                  "SENTINEL DEBUG");
    }
    if (!becomes_true([&] { return std::ranges::all_of(sentinels_, knows_all); })) {
        throw std::runtime_error("the sentinels do not find each other");
    }
}

std::string redis_sentinels::url() const {
    std::string text = "redis+sentinel://";
    for (const auto& sentinel : sentinels_) {
        text += (sentinel == sentinels_.front() ? "127.0.0.1:" : ",127.0.0.1:") +
                std::to_string(sentinel->port());
    }
    return text + "/mymaster";
}

std::uint16_t redis_sentinels::master_port() {
    for (auto& sentinel : sentinels_) {
        if (sentinel->pid() > 0) {
            const std::string told =
                sentinel->command({"SENTINEL", "GET-MASTER-ADDR-BY-NAME", "mymaster"});
            return static_cast<std::uint16_t>(std::stoi(told.substr(told.find('\n') + 1)));
        }
    }
    return 0;
}

}  // namespace weir::test
