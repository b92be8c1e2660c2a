// Names of what a queue has in Redis, and of its jobs.
//
//     const weir::redisq::queue_keys keys("mail");
//     const auto jobs = co_await redis.command<long>("XLEN", keys.lane(1));   // weir:{mail}:s1
//
// Every key begins with "weir:{queue}:", so all keys of a queue are in one slot of a cluster.
// README.md lists what each holds.
//
// A job's id tells when it was made, on the server's clock: "1795380296359-0.1" stood first as
// entry 1795380296359-0 of lane 1; the letter d instead of the lane stands for a job that was
// delayed from the start. A job keeps its id through all attempts.
//
// Thread: any; values.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace weir::redisq {

// Streams by priority, 0 the most urgent.
inline constexpr std::size_t lane_count = 4;
inline constexpr int lane_default = 1;

// Of the streams' one consumer group, and the field of an entry that holds the envelope.
inline constexpr std::string_view job_group = "w";
inline constexpr std::string_view job_field = "j";
// The second field of an entry whose job has an id that the entry does not tell.
inline constexpr std::string_view job_id_field = "i";

class queue_keys {
  public:
    // 1 to 128 bytes of printable ASCII without blanks and braces. Throws std::invalid_argument.
    explicit queue_keys(std::string_view queue);

    [[nodiscard]] const std::string& queue() const noexcept { return queue_; }

    // 0 to lane_count - 1.
    [[nodiscard]] const std::string& lane(std::size_t index) const noexcept {
        return lanes_[index];
    }
    [[nodiscard]] const std::array<std::string, lane_count>& lanes() const noexcept {
        return lanes_;
    }
    // The lane of such a key, or nothing.
    [[nodiscard]] std::optional<std::size_t> lane_of(std::string_view key) const noexcept;

    [[nodiscard]] const std::string& delayed() const noexcept { return delayed_; }
    [[nodiscard]] const std::string& filed() const noexcept { return filed_; }
    [[nodiscard]] const std::string& leases() const noexcept { return leases_; }
    [[nodiscard]] const std::string& workers() const noexcept { return workers_; }
    [[nodiscard]] const std::string& meta() const noexcept { return meta_; }
    [[nodiscard]] const std::string& cancels() const noexcept { return cancels_; }
    [[nodiscard]] const std::string& dead() const noexcept { return dead_; }
    [[nodiscard]] const std::string& dead_jobs() const noexcept { return dead_jobs_; }
    [[nodiscard]] const std::string& schedules() const noexcept { return schedules_; }

    [[nodiscard]] std::string unique(std::string_view key) const;
    // Of a submit that may be repeated.
    [[nodiscard]] std::string token(std::string_view text) const;
    [[nodiscard]] std::string result(std::string_view id) const;
    [[nodiscard]] std::string rate(std::string_view type) const;
    // The channel on which the ends of jobs are told to a producer.
    [[nodiscard]] std::string channel(std::string_view producer) const;

  private:
    std::string queue_;
    std::string prefix_;
    std::array<std::string, lane_count> lanes_;
    std::string delayed_, filed_, leases_, workers_, meta_, cancels_, dead_, dead_jobs_, schedules_;
};

struct job_id_parts {
    std::uint64_t born_ms = 0;  // since 1970, the server's clock
    std::uint64_t sequence = 0;
    char kind = '1';  // '0' to '3': the lane that it first stood in; 'd': delayed from the start
    friend bool operator==(const job_id_parts&, const job_id_parts&) = default;
};

// Nothing where the text is no id.
[[nodiscard]] std::optional<job_id_parts> parse_job_id(std::string_view id) noexcept;

// Of a job whose first entry in `lane` is `entry`: "1795380296359-0".
[[nodiscard]] std::string first_job_id(std::string_view entry, std::size_t lane);

}  // namespace weir::redisq
