// The nodes of a cluster and their slots, as a client knows them.
//
// Invariant: an entry of slots_ is `nobody` or an index into nodes_. version_ counts the times that
// the slots were read, so that callers who saw the same old map read it once together.
// Lifetime: shared by the client and the calls under way. A node is shared by the map and by calls
// that are on their way to it. Thread: the loop's.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "../../runtime/mutex.hpp"
#include "../../runtime/task.hpp"
#include "../client.hpp"
#include "../cluster_client.hpp"
#include "../errors.hpp"
#include "../resp/reply_view.hpp"
#include "../slot.hpp"

namespace weir::redisq::detail {

struct cluster_node {
    cluster_node(server_host at, client_options options)
        : where(std::move(at)), connection(std::move(options)) {}

    server_host where;
    client connection;
};

class cluster_core {
  public:
    using node = std::shared_ptr<cluster_node>;

    // Throws std::invalid_argument.
    explicit cluster_core(client_options options);
    // Throws the same for options that are not sound, or not those of a cluster.
    static void require_sound(const client_options& options);

    [[nodiscard]] const client_options& options() const noexcept { return options_; }
    [[nodiscard]] const cluster_counters& counters() const noexcept { return counters_; }
    [[nodiscard]] cluster_counters& counters() noexcept { return counters_; }
    [[nodiscard]] std::size_t size() const noexcept { return nodes_.size(); }
    [[nodiscard]] bool is_closed() const noexcept { return is_closed_; }
    [[nodiscard]] std::uint64_t version() const noexcept { return version_; }
    [[nodiscard]] const std::vector<node>& nodes() const noexcept { return nodes_; }

    // Null where nobody is known to have the slot.
    [[nodiscard]] node owner_of(std::uint16_t slot) const noexcept;
    // By turns; null where no node is known.
    [[nodiscard]] node any() noexcept;
    // Known or not.
    [[nodiscard]] node at(const server_host& where);
    // As MOVED says.
    void assign(std::uint16_t slot, const server_host& to);

    // Reads the slots, unless somebody has done so since `seen`.
    [[nodiscard]] task<result<void>> refresh(std::uint64_t seen);

    [[nodiscard]] std::uint64_t draw() noexcept;

    // No more calls; those in line fail with errc::closed.
    void begin_close() noexcept;

  private:
    static constexpr std::uint16_t nobody = 0xffff;

    [[nodiscard]] std::size_t index_of(const server_host& where);
    [[nodiscard]] std::vector<server_host> whom_to_ask();
    [[nodiscard]] result<void> read_slots(const resp::reply_view& ranges,
                                          const server_host& teller);

    client_options options_;
    cluster_counters counters_;
    std::array<std::uint16_t, slots_max> slots_;
    std::vector<node> nodes_;
    mutex refreshing_;
    std::uint64_t version_ = 0;
    std::uint64_t random_state_;
    std::size_t turn_ = 0;
    bool is_closed_ = false;
};

// "MOVED 3999 127.0.0.1:6381" and "ASK ...": the slot and the host; where the host is left out, it
// is that of who says so. Nothing where the text is another.
struct redirect {
    std::uint16_t slot = 0;
    server_host to;
};
[[nodiscard]] std::optional<redirect> redirect_in(std::string_view text, const server_host& teller);

}  // namespace weir::redisq::detail
