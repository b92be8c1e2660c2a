// Redis clusters and sentinels for tests. Each takes two to four seconds to come up, most of it by
// waits that Redis makes; so the tests of a file share one.
//
//     static test::redis_cluster* cluster;   // made in SetUpTestSuite
//     test::redis_sentinels watched;
//     watched.master().kill();               // the sentinels promote the replica
//
// Thread: as redis_server.hpp.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "support/redis_server.hpp"

namespace weir::test {

// Three masters with a third of the 16,384 slots each, nodes 0 to 2, and a replica of each, 3 to 5.
class redis_cluster {
  public:
    static constexpr std::size_t masters = 3;
    static constexpr std::size_t slots = 16'384;

    // Returns when all nodes see all slots served. `settings` are those of each node. A master is
    // given up when it is silent for ten seconds, see hasten_failover().
    explicit redis_cluster(const redis_settings& settings = {}, bool with_replicas = true);

    [[nodiscard]] redis_server& node(std::size_t index) { return *nodes_[index]; }
    [[nodiscard]] std::size_t size() const noexcept { return nodes_.size(); }
    // redis://127.0.0.1:PORT,... of all nodes.
    [[nodiscard]] std::string url() const;
    // CLUSTER MYID
    [[nodiscard]] std::string id(std::size_t index);

    // Begins to move a slot: `from` answers with ASK for keys that it lacks.
    void begin_move(std::uint32_t slot, std::size_t from, std::size_t to);
    // Moves up to `count` keys of it; how many moved.
    std::size_t move_keys(std::uint32_t slot, std::size_t from, std::size_t to, std::size_t count);
    // Every node knows that the slot is `to`'s.
    void end_move(std::uint32_t slot, std::size_t to);
    // All three.
    void move(std::uint32_t slot, std::size_t from, std::size_t to);

    // Until all living nodes say cluster_state:ok, have found all others, and agree about who
    // serves what.
    void wait_until_ok();

    // From now on a master is given up when it is silent for a second. Returns when all agree about
    // who serves what, so that those who vote for its replica find nothing to object to.
    void hasten_failover();

  private:
    void introduce();
    void add_replicas();
    void set_node_timeout(std::chrono::milliseconds limit);
    [[nodiscard]] bool do_agree();
    void wait_until_agreed();

    std::vector<std::unique_ptr<redis_server>> nodes_;
};

// A master, a replica and three sentinels that call the master "mymaster".
class redis_sentinels {
  public:
    // Returns when the sentinels know each other and the replica.
    explicit redis_sentinels(const redis_settings& settings = {});

    [[nodiscard]] redis_server& master() { return *servers_[0]; }
    [[nodiscard]] redis_server& replica() { return *servers_[1]; }
    [[nodiscard]] redis_server& sentinel(std::size_t index) { return *sentinels_[index]; }
    // redis+sentinel://127.0.0.1:PORT,.../mymaster
    [[nodiscard]] std::string url() const;

    // The port that the sentinels give for the master.
    [[nodiscard]] std::uint16_t master_port();

  private:
    std::array<std::unique_ptr<redis_server>, 2> servers_;
    std::array<std::unique_ptr<redis_server>, 3> sentinels_;
};

}  // namespace weir::test
