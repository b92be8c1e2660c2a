#include "handshake.hpp"

#include <cstring>
#include <utility>

#include "../../runtime/assert.hpp"

namespace weir::redisq::detail {
namespace {

bool speaks_of_unknown_command(std::string_view text) {
    // "ERR unknown command 'HELLO'"; proxies differ in the letters behind "ERR ".
    return text.starts_with("ERR unknown command") || text.starts_with("ERR Unknown command") ||
           text.starts_with("ERR unsupported command");
}

std::string_view role_name(std::string_view word) {
    return word == "slave" ? std::string_view("replica") : word;
}

void wipe_text(std::string& text) noexcept {
    if (!text.empty()) {
        ::explicit_bzero(text.data(), text.size());
    }
    text.clear();
}

}  // namespace

handshake::handshake(const client_options& options)
    : where_(options.server.to_string()),
      user_(options.server.user),
      password_(options.server.password),
      client_name_(options.client_name),
      database_(options.server.database == 0 ? "" : std::to_string(options.server.database)),
      // Sentinels are asked for a master, and may not know yet that it is none any more.
      wanted_(options.role == server_role::any && !options.server.master.empty()
                  ? server_role::master
                  : options.role) {
    if (options.protocol == 3) {
        begin_greeting();
    } else {
        begin_plain();
    }
}

handshake::~handshake() {
    wipe();
    if (password_) {
        wipe_text(*password_);
    }
}

void handshake::wipe() noexcept { wipe_text(output_); }

void handshake::send(step what, std::initializer_list<std::string_view> words) {
    WEIR_ASSERT(steps_count_ < steps_max, "a handshake has few steps");
    steps_[steps_count_++] = what;
    output_ += '*' + std::to_string(words.size()) + "\r\n";
    for (const std::string_view word : words) {
        output_ += '$' + std::to_string(word.size()) + "\r\n";
        output_.append(word).append("\r\n");
    }
}

void handshake::begin_greeting() {
    const std::string_view user = user_.empty() ? "default" : std::string_view(user_);
    // Large enough, so that no copy of the password is left behind by growing.
    output_.reserve(256 + user_.size() + (password_ ? password_->size() : 0) + client_name_.size());
    if (password_ && !client_name_.empty()) {
        send(step::hello, {"HELLO", "3", "AUTH", user, *password_, "SETNAME", client_name_});
    } else if (password_) {
        send(step::hello, {"HELLO", "3", "AUTH", user, *password_});
    } else if (!client_name_.empty()) {
        send(step::hello, {"HELLO", "3", "SETNAME", client_name_});
    } else {
        send(step::hello, {"HELLO", "3"});
    }
    send_select();
}

void handshake::begin_plain() {
    wipe();
    output_.reserve(256 + user_.size() + (password_ ? password_->size() : 0) + client_name_.size());
    steps_count_ = 0;
    steps_answered_ = 0;
    falls_back_ = false;
    if (password_ && !user_.empty()) {
        send(step::auth, {"AUTH", user_, *password_});
    } else if (password_) {
        send(step::auth, {"AUTH", *password_});
    }
    if (!client_name_.empty()) {
        send(step::set_name, {"CLIENT", "SETNAME", client_name_});
    }
    send_select();
    if (wanted_ != server_role::any) {
        send(step::role, {"ROLE"});
    }
    // Something has to be answered, so that no one takes a server that wants a password, or no
    // Redis at all, for one that is ready.
    send(step::ping, {"PING"});
}

void handshake::send_select() {
    if (!database_.empty()) {
        send(step::select, {"SELECT", database_});
    }
}

result<handshake::progress> handshake::take(const resp::reply_view& reply) {
    if (reply.kind() == resp::type::push) {
        return progress::waiting;
    }
    WEIR_ASSERT(steps_answered_ < steps_count_, "a handshake that is done takes no replies");
    const step what = steps_[steps_answered_++];
    if (!falls_back_) {
        if (result<void> fine = answered(what, reply); !fine) {
            return std::unexpected(std::move(fine.error()));
        }
    }
    if (steps_answered_ < steps_count_) {
        return progress::waiting;
    }
    if (falls_back_) {
        begin_plain();
        return progress::sending;
    }
    wipe();
    return progress::done;
}

result<void> handshake::answered(step what, const resp::reply_view& reply) {
    if (reply.is_error()) {
        return refused(what, reply.text());
    }
    if (what == step::hello) {
        return greeted(reply);
    }
    if (what == step::role) {
        if (reply.empty() || reply[0].text().empty()) {
            return failure(errc::protocol_error, "the answer to ROLE names no role");
        }
        facts_.role = role_name(reply[0].text());
        return check_role();
    }
    if (reply.kind() != resp::type::simple_string && reply.kind() != resp::type::bulk_string) {
        return failure(errc::protocol_error, "the answer to a greeting is of the type " +
                                                 std::string(resp::name(reply.kind())) +
                                                 "; allowed: simple string");
    }
    return {};
}

result<void> handshake::greeted(const resp::reply_view& reply) {
    // A map in version 3; pairs one behind the other in version 2.
    if (!reply.is_aggregate() || reply.size() % 2 != 0) {
        return failure(errc::protocol_error, "the answer to HELLO is of the type " +
                                                 std::string(resp::name(reply.kind())) +
                                                 "; allowed: map");
    }
    facts_.protocol = 3;
    for (auto at = reply.begin(); at != reply.end(); ++at) {
        const std::string_view key = (*at).text();
        const resp::reply_view value = *++at;
        if (key == "proto") {
            facts_.protocol = value.integer() == 2 ? 2 : 3;
        } else if (key == "version") {
            facts_.version = value.text();
        } else if (key == "mode") {
            facts_.mode = value.text();
        } else if (key == "role") {
            facts_.role = role_name(value.text());
        } else if (key == "id") {
            facts_.client_id = value.integer();
        }
    }
    return check_role();
}

result<void> handshake::refused(step what, std::string_view text) {
    const error said = server_reply_error(text);
    switch (what) {
        case step::hello:
            // A user may lack the right to HELLO and have that to AUTH.
            if (speaks_of_unknown_command(text) || said == errc::no_protocol ||
                said == errc::no_permission) {
                falls_back_ = true;
                return {};
            }
            break;
        case step::set_name:
            // A name is for people; servers and proxies that know none do as well.
            return {};
        case step::ping:
            if (said != errc::no_auth) {
                return {};
            }
            break;
        case step::select:
            return server_failure(text, "SELECT " + database_ + ": ");
        case step::auth:
        case step::role:
            break;
    }
    return server_failure(text, "");
}

result<void> handshake::check_role() {
    if (wanted_ == server_role::any) {
        return {};
    }
    const std::string_view wanted = wanted_ == server_role::master ? "master" : "replica";
    if (facts_.role != wanted) {
        return failure(errc::wrong_role,
                       "the server is " +
                           (facts_.role.empty() ? "of no known role" : "a " + facts_.role) +
                           "; allowed: " + std::string(wanted));
    }
    return {};
}

std::unexpected<error> handshake::failure(errc code, std::string_view text) const {
    return std::unexpected(error(code, where_ + ": " + std::string(text)));
}

std::unexpected<error> handshake::server_failure(std::string_view text,
                                                 std::string_view hint) const {
    const error said = server_reply_error(text);
    std::string told = where_ + ": " + std::string(hint) + without_secrets(text);
    if (said == errc::no_auth && !password_) {
        told += " (the URL gives no password: redis://user:password@host)";
    }
    return std::unexpected(error(said.code(), std::move(told)));
}

std::string handshake::without_secrets(std::string_view text) const {
    // "ERR unknown command 'AUTH', with args beginning with: 'the password'"
    std::string shown(text.substr(0, text.find(", with args beginning")));
    if (password_ && !password_->empty()) {
        for (std::size_t at = shown.find(*password_); at != std::string::npos;
             at = shown.find(*password_, at)) {
            shown.replace(at, password_->size(), "***");
            at += 3;
        }
    }
    return shown;
}

}  // namespace weir::redisq::detail
