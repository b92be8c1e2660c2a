// exit_status: how a process ended.
//
//     const weir::exit_status status = co_await child.wait();
//     if (!status.success()) { report(status.text()); }   // "exited with 3", "killed by signal 9"
//
// Thread: any; a value. Source: waitid(2).
#pragma once

#include <optional>
#include <string>

namespace weir {

class exit_status {
  public:
    [[nodiscard]] static exit_status exited(int code) noexcept {
        return exit_status(code, false, false);
    }
    [[nodiscard]] static exit_status killed(int signal, bool dumped_core = false) noexcept {
        return exit_status(signal, true, dumped_core);
    }

    [[nodiscard]] bool success() const noexcept { return !killed_ && value_ == 0; }

    // What it passed to exit(), 0 to 255; empty where a signal ended it.
    [[nodiscard]] std::optional<int> code() const noexcept {
        return killed_ ? std::nullopt : std::optional<int>(value_);
    }
    // The signal that ended it; empty where it ended by itself.
    [[nodiscard]] std::optional<int> signal() const noexcept {
        return killed_ ? std::optional<int>(value_) : std::nullopt;
    }
    [[nodiscard]] bool dumped_core() const noexcept { return dumped_core_; }

    // For people.
    [[nodiscard]] std::string text() const;

    friend bool operator==(const exit_status&, const exit_status&) noexcept = default;

  private:
    exit_status(int value, bool killed, bool dumped_core) noexcept
        : value_(value), killed_(killed), dumped_core_(dumped_core) {}

    int value_;
    bool killed_;
    bool dumped_core_;
};

}  // namespace weir
