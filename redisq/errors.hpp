// What can go wrong between a program and a Redis server.
//
//     const weir::redisq::error gone(weir::redisq::errc::moved, "MOVED 3999 127.0.0.1:6381");
//     if (gone.code() == weir::redisq::errc::moved) { report(gone.message()); }
//
// A call to a server gives a redisq::result: the value, or an error of a code to branch on and a
// text for people that names the server's words or the two types that do not fit. Neither code nor
// text ever holds a password, a value or an argument.
//
// Errors of sockets, names and TLS keep their own codes and categories.
//
// Thread: any; all types are values.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>

namespace weir::redisq {

enum class errc {
    // This side's.
    bad_url = 1,         // the text of an address; the message names the part
    bad_option,          // an option out of its range; the message names it
    connect_failed,      // no connection within the time given; the message tells the last cause
    connection_lost,     // the connection ended before the reply; the command may have run or not
    timed_out,           // no reply within the time given; the command may have run or not
    closed,              // the client was closed
    protocol_error,      // the server's bytes are not RESP; the message names the byte
    wrong_reply_type,    // the reply cannot become the type asked for; the message names both
    unsupported,         // the server is too old, or the build lacks a part (TLS)
    wrong_role,          // the server is no master, or not what a sentinel said
    cross_slot,          // keys of one command belong to different slots of a cluster
    too_many_redirects,  // the nodes of a cluster send the command in circles
    watch_failed,        // a watched key was changed before the transaction: nothing of it ran

    // The server's error replies, by their first word.
    server_error = 100,   // any other
    wrong_type,           // WRONGTYPE: the key holds something else
    no_auth,              // NOAUTH
    wrong_password,       // WRONGPASS, and the older "ERR invalid password"
    no_permission,        // NOPERM
    no_script,            // NOSCRIPT
    loading,              // LOADING: the server reads its data
    read_only,            // READONLY: a replica
    moved,                // MOVED: the slot lives at another node
    ask,                  // ASK: the slot is on its way to another node
    try_again,            // TRYAGAIN: a slot's keys are split while it moves
    cluster_down,         // CLUSTERDOWN
    busy,                 // BUSY: a script runs
    busy_group,           // BUSYGROUP: the consumer group exists
    no_group,             // NOGROUP: key or consumer group is missing
    master_down,          // MASTERDOWN: the replica has lost its master
    out_of_memory,        // OOM: maxmemory is reached
    exec_aborted,         // EXECABORT: a command of the transaction was refused
    not_enough_replicas,  // NOREPLICAS
    misconfigured,        // MISCONF: the server cannot write its data to disk
    no_protocol,          // NOPROTO: the protocol version is unknown to the server
    too_many_clients      // "ERR max number of clients reached": passes when others leave
};

// The category of errc; its name is "weir.redisq".
const std::error_category& category() noexcept;

std::error_code make_error_code(errc code) noexcept;

}  // namespace weir::redisq

template <>
struct std::is_error_code_enum<weir::redisq::errc> : std::true_type {};

namespace weir::redisq {

class error {
  public:
    // The message is that of the code.
    explicit error(std::error_code code) : code_(code) {}
    explicit error(errc code) : code_(code) {}
    // `detail` says what in particular; it stands alone, without the code's own message.
    error(std::error_code code, std::string detail) : code_(code), detail_(std::move(detail)) {}

    [[nodiscard]] const std::error_code& code() const noexcept { return code_; }
    [[nodiscard]] std::string message() const {
        return detail_.empty() ? code_.message() : detail_;
    }

    // Whether an error reply of the server brought it: the connection is sound.
    [[nodiscard]] bool from_server() const noexcept;

    friend bool operator==(const error& a, errc b) noexcept { return a.code_ == b; }

  private:
    std::error_code code_;
    std::string detail_;
};

template <class T>
using result = std::expected<T, error>;

// The error of an error reply, its text without the leading '-': "WRONGTYPE Operation against ...".
[[nodiscard]] error server_reply_error(std::string_view text);

// Thrown by value_or_throw, and where an error of a server ends a call that gives no result.
class exception : public std::system_error {
  public:
    explicit exception(const error& cause)
        : std::system_error(cause.code()), message_(cause.message()) {}

    // The error's message alone.
    [[nodiscard]] const char* what() const noexcept override { return message_.c_str(); }

  private:
    std::string message_;
};

// The value, or an exception.
template <class T>
T value_or_throw(result<T> outcome) {
    if (!outcome) {
        throw exception(outcome.error());
    }
    if constexpr (!std::is_void_v<T>) {
        return std::move(*outcome);
    }
}

}  // namespace weir::redisq
