#include "errors.hpp"

#include <array>

namespace weir::redisq {
namespace {

struct reply_word {
    std::string_view word;
    errc code;
    const char* meaning;
};

// The first words of error replies, https://redis.io/docs/latest/develop/reference/protocol-spec/.
constexpr std::array reply_words = {
    reply_word{"WRONGTYPE", errc::wrong_type, "the key holds a value of another type"},
    reply_word{"NOAUTH", errc::no_auth, "the server wants a password"},
    reply_word{"WRONGPASS", errc::wrong_password, "the server does not know user and password"},
    reply_word{"NOPERM", errc::no_permission, "the user may not do that"},
    reply_word{"NOSCRIPT", errc::no_script, "the server does not hold the script"},
    reply_word{"LOADING", errc::loading, "the server is still loading its data"},
    reply_word{"READONLY", errc::read_only, "the server is a replica, which takes no writes"},
    reply_word{"MOVED", errc::moved, "the slot lives at another node"},
    reply_word{"ASK", errc::ask, "the slot is on its way to another node"},
    reply_word{"TRYAGAIN", errc::try_again, "the keys are split between two nodes for now"},
    reply_word{"CLUSTERDOWN", errc::cluster_down, "the cluster is down"},
    reply_word{"CROSSSLOT", errc::cross_slot, "the keys belong to different slots"},
    reply_word{"BUSY", errc::busy, "the server runs a script"},
    reply_word{"BUSYGROUP", errc::busy_group, "the consumer group exists already"},
    reply_word{"NOGROUP", errc::no_group, "the key or its consumer group does not exist"},
    reply_word{"MASTERDOWN", errc::master_down, "the replica has lost its master"},
    reply_word{"OOM", errc::out_of_memory, "the server is at its maxmemory"},
    reply_word{"EXECABORT", errc::exec_aborted, "a command of the transaction was refused"},
    reply_word{"NOREPLICAS", errc::not_enough_replicas, "too few replicas are connected"},
    reply_word{"MISCONF", errc::misconfigured, "the server cannot write its data to disk"},
    reply_word{"NOPROTO", errc::no_protocol, "the server does not speak this protocol version"},
};

const char* own_meaning(errc code) {
    switch (code) {
        case errc::bad_url:
            return "not the URL of a Redis server";
        case errc::bad_option:
            return "an option is out of its range";
        case errc::connect_failed:
            return "no connection to the server";
        case errc::connection_lost:
            return "the connection was lost before the reply; the command may have run or not";
        case errc::timed_out:
            return "no reply in time; the command may have run or not";
        case errc::closed:
            return "the client is closed";
        case errc::protocol_error:
            return "the server's bytes are not RESP";
        case errc::wrong_reply_type:
            return "the reply is not of the type asked for";
        case errc::unsupported:
            return "not supported by this server or this build";
        case errc::wrong_role:
            return "the server does not have the role asked for";
        case errc::too_many_redirects:
            return "the nodes of the cluster redirect in circles";
        case errc::watch_failed:
            return "a watched key was changed; the transaction did not run";
        case errc::too_many_clients:
            return "the server has as many clients as it allows";
        case errc::server_error:
            return "the server answered with an error";
        default:
            return nullptr;
    }
}

class redisq_category final : public std::error_category {
  public:
    [[nodiscard]] const char* name() const noexcept override { return "weir.redisq"; }

    [[nodiscard]] std::string message(int value) const override {
        const auto code = static_cast<errc>(value);
        if (const char* const meaning = own_meaning(code)) {
            return meaning;
        }
        for (const reply_word& known : reply_words) {
            if (known.code == code) {
                return known.meaning;
            }
        }
        return "unknown error " + std::to_string(value) + " of weir.redisq";
    }
};

}  // namespace

const std::error_category& category() noexcept {
    static const redisq_category instance;
    return instance;
}

std::error_code make_error_code(errc code) noexcept { return {static_cast<int>(code), category()}; }

bool error::from_server() const noexcept {
    return code_.category() == category() &&
           (code_.value() >= static_cast<int>(errc::server_error) || code_ == errc::cross_slot);
}

error server_reply_error(std::string_view text) {
    const std::string_view word = text.substr(0, text.find(' '));
    for (const reply_word& known : reply_words) {
        if (known.word == word) {
            return {known.code, std::string(text)};
        }
    }
    if (text.starts_with("ERR invalid password")) {
        return {errc::wrong_password, std::string(text)};
    }
    // "... + cluster connections reached" from nodes of a cluster.
    if (text.starts_with("ERR max number of clients")) {
        return {errc::too_many_clients, std::string(text)};
    }
    return {errc::server_error, std::string(text)};
}

}  // namespace weir::redisq
