// handshake: what a client and a server say to each other before the first command, without I/O.
//
// States, and what moves them:
//   greeting  HELLO 3 [AUTH] [SETNAME] and SELECT are sent    -> plain, done, failed
//   plain     AUTH, CLIENT SETNAME, SELECT, ROLE and PING are sent: the server knows no HELLO or
//             not version 3 of RESP, or the options want 2    -> done, failed
//   done      the connection takes commands
//   failed    it has to be closed
// All commands of a state leave together, so a greeting costs one round trip, a fallback two.
//
// Errors name the server and carry its words without what it repeats of ours: never a password.
//   no_auth, wrong_password, no_permission   as the server says
//   wrong_role                               it is not of the role that the options ask for
//   protocol_error                           an answer of the wrong type
//   server_error and the others              as the server says: no such database, for instance
//
// Lifetime: the bytes to send hold the password; they are wiped when the object dies.
// Thread: one at a time. Source: HELLO, AUTH, CLIENT SETNAME, SELECT, ROLE in
// https://redis.io/docs/latest/commands/; HELLO and ACL users are known from Redis 6.0 on.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "../errors.hpp"
#include "../options.hpp"
#include "../resp/reply_view.hpp"

namespace weir::redisq::detail {

// What the server told of itself; empty where it did not.
struct server_facts {
    int protocol = 2;
    std::string version;  // "7.0.15"
    std::string mode;     // "standalone", "cluster" or "sentinel"
    std::string role;     // "master" or "replica"
    std::int64_t client_id = 0;
};

class handshake {
  public:
    enum class progress : std::uint8_t {
        waiting,  // for further replies
        sending,  // output() is new and has to be sent
        done
    };

    // Begins with output() to send. Requires options that are sound.
    explicit handshake(const client_options& options);
    handshake(const handshake&) = delete;
    handshake& operator=(const handshake&) = delete;
    ~handshake();

    // Valid until the next take().
    [[nodiscard]] std::span<const std::byte> output() const noexcept {
        return std::as_bytes(std::span(output_));
    }

    // The next reply of the server; pushes are passed over. Requires neither done nor failed.
    [[nodiscard]] result<progress> take(const resp::reply_view& reply);

    // Once done.
    [[nodiscard]] const server_facts& facts() const noexcept { return facts_; }

  private:
    enum class step : std::uint8_t { hello, auth, set_name, select, role, ping };
    static constexpr std::size_t steps_max = 5;

    void send(step what, std::initializer_list<std::string_view> words);
    void begin_greeting();
    void begin_plain();
    void send_select();
    void wipe() noexcept;

    [[nodiscard]] result<void> answered(step what, const resp::reply_view& reply);
    [[nodiscard]] result<void> greeted(const resp::reply_view& reply);
    [[nodiscard]] result<void> refused(step what, std::string_view text);
    [[nodiscard]] result<void> check_role();

    // errors of this server's.
    [[nodiscard]] std::unexpected<error> failure(errc code, std::string_view text) const;
    [[nodiscard]] std::unexpected<error> server_failure(std::string_view text,
                                                        std::string_view hint) const;
    [[nodiscard]] std::string without_secrets(std::string_view text) const;

    // Of the options, which the caller may change meanwhile.
    std::string where_;
    std::string user_;
    std::optional<std::string> password_;
    std::string client_name_;
    std::string database_;
    server_role wanted_;

    std::string output_;
    std::array<step, steps_max> steps_{};  // those whose replies are to come
    std::size_t steps_count_ = 0;
    std::size_t steps_answered_ = 0;
    bool falls_back_ = false;  // HELLO was refused; the rest of its answers is passed over
    server_facts facts_;
};

}  // namespace weir::redisq::detail
