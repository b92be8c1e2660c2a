#include <gtest/gtest.h>

#include <chrono>
#include <stdexcept>
#include <string>
#include <vector>

#include <weir/runtime/process/command.hpp>

namespace weir {
namespace {

using namespace std::chrono_literals;

template <class Make>
std::string refusal(Make make) {
    try {
        make();
    } catch (const std::invalid_argument& error) {
        return error.what();
    }
    return "taken";
}

TEST(CommandTest, ItHoldsWhatItWasGiven) {
    command what("sort");
    what.argument("-n").arguments({"-r", ""}).directory("/tmp").environment({"A=1", "B="});
    what.input(child_stdio::pipe).error(child_stdio::null).stop_with(SIGINT, 2s);
    EXPECT_EQ(what.program(), "sort");
    EXPECT_EQ(what.words(), (std::vector<std::string>{"sort", "-n", "-r", ""}));
    EXPECT_EQ(what.directory(), "/tmp");
    EXPECT_EQ(what.environment(), (std::vector<std::string>{"A=1", "B="}));
    EXPECT_EQ(what.stdio(0), child_stdio::pipe);
    EXPECT_EQ(what.stdio(1), child_stdio::inherit);
    EXPECT_EQ(what.stdio(2), child_stdio::null);
    EXPECT_EQ(what.stop_signal(), SIGINT);
    EXPECT_EQ(what.grace(), 2s);
    what.keep_when_stopped();
    EXPECT_EQ(what.stop_signal(), 0);
}

TEST(CommandTest, WhatNoProgramCanTakeIsRefused) {
    const std::string nul("a\0b", 3);
    EXPECT_EQ(refusal([] { command(""); }),
              "command: the program is empty; allowed: one character or more");
    EXPECT_EQ(refusal([&] { static_cast<void>(command(nul)); }),
              "command: the program 'a' goes on behind a NUL byte; allowed: none");
    command what("x");
    EXPECT_EQ(refusal([&] { what.argument(nul); }),
              "command: the argument 'a' goes on behind a NUL byte; allowed: none");
    EXPECT_EQ(refusal([&] { what.directory(""); }),
              "command: the directory is empty; allowed: one character or more");
    EXPECT_EQ(refusal([&] { what.environment({"A"}); }),
              "command: the variable 'A' is not NAME=value");
    EXPECT_EQ(refusal([&] { what.environment({"=A"}); }),
              "command: the variable '=A' is not NAME=value");
    EXPECT_EQ(refusal([&] { what.stop_with(0, 1s); }),
              "command: stop_with: 0 is not a signal; allowed: 1 to 64");
    EXPECT_EQ(refusal([&] { what.stop_with(SIGTERM, -1ns); }),
              "command: stop_with: the grace is -1 ns; allowed: 0 or more");
    EXPECT_EQ(what.words().size(), 1U) << "a refusal changes nothing";
}

}  // namespace
}  // namespace weir
