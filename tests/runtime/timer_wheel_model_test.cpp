// The wheel against a sorted map: random arming, disarming and advancing, over every distance.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <random>
#include <vector>

#include <weir/runtime/timer_wheel.hpp>

namespace weir {
namespace {

using namespace std::chrono_literals;
using detail::timer_wheel;

constexpr duration granule(1 << timer_wheel::granule_bits);

struct model_timer : detail::timer_node {
    model_timer(std::vector<const model_timer*>& where) : timer_node(&write), log(where) {}
    static void write(timer_node& self) noexcept {
        auto& timer = static_cast<model_timer&>(self);
        timer.log.push_back(&timer);
    }
    std::vector<const model_timer*>& log;
};

class wheel_and_model {
  public:
    explicit wheel_and_model(std::uint64_t seed) : random_(seed) {}
    wheel_and_model(const wheel_and_model&) = delete;
    wheel_and_model& operator=(const wheel_and_model&) = delete;
    ~wheel_and_model() {
        for (const auto& [deadline, timer] : model_) {
            wheel_.remove(*timer);
        }
    }

    void step() {
        const std::uint64_t choice = below(10);
        if (choice < 5) {
            insert(random_deadline());
        } else if (choice < 7) {
            remove_one();
        } else {
            advance(random_time());
        }
        check_next();
    }

    // Jumps from event to event, as an idle loop does, until nothing is armed.
    void finish() {
        std::size_t jumps = 0;
        const std::size_t jumps_max = 64 * (model_.size() + 1);
        while (!model_.empty() && !testing::Test::HasFailure()) {
            ASSERT_LT(++jumps, jumps_max) << "the wheel makes no progress";
            advance(std::max(now_, *wheel_.next_event()));
            check_next();
        }
    }

  private:
    using armed = std::multimap<time_point, model_timer*>;

    std::uint64_t below(std::uint64_t bound) { return random_() % bound; }

    // A length of any order of magnitude, up to centuries; often beside a boundary of a slot.
    duration random_length() {
        const auto magnitude = static_cast<unsigned>(below(63));
        auto length = static_cast<std::int64_t>(random_() >> (63 - magnitude) >> 1);
        if (below(3) == 0) {
            const std::int64_t boundary = std::int64_t{1} << magnitude;
            length = boundary + static_cast<std::int64_t>(below(3)) - 1;
        }
        return duration(length);
    }

    time_point random_deadline() {
        switch (below(6)) {
            case 0:  // of the present slot, or past
                return saturating_add(
                    now_, duration(static_cast<std::int64_t>(below(200'000)) - 100'000));
            case 1:  // the same as another
                if (!model_.empty()) {
                    return model_.lower_bound(saturating_add(now_, random_length())) != model_.end()
                               ? model_.lower_bound(now_)->first
                               : model_.begin()->first;
                }
                return now_;
            case 2:  // at the start of a slot
                return time_point((saturating_add(now_, random_length())).time_since_epoch() /
                                  granule * granule);
            case 3:  // long past
                return time_point(random_length() % std::max(now_.time_since_epoch(), 1ns));
            default:
                return saturating_add(now_, random_length());
        }
    }

    // Mostly short, so that one run takes many steps.
    time_point random_time() {
        const std::optional<time_point> next = wheel_.next_event();
        switch (below(8)) {
            case 0:
                return saturating_add(now_, duration(static_cast<std::int64_t>(below(5'000'000))));
            case 1:
                return next.value_or(now_);
            case 2:
                return next.value_or(now_) - 1ns;
            case 3:
                return wheel_.next_event().value_or(now_);
            case 4:
                return saturating_add(now_, random_length() % duration(1h));
            case 5:  // any distance, a few times in a run
                return below(40) == 0 ? saturating_add(now_, random_length()) : now_;
            default:
                return saturating_add(now_, duration(static_cast<std::int64_t>(below(100'000))));
        }
    }

    void insert(time_point deadline) {
        model_timer* timer = nullptr;
        if (free_.empty()) {
            timer = &timers_.emplace_back(log_);
        } else {
            timer = free_.back();
            free_.pop_back();
        }
        wheel_.insert(*timer, deadline);
        model_.emplace(deadline, timer);
    }

    void remove_one() {
        if (model_.empty()) {
            return;
        }
        auto victim = model_.begin();
        std::advance(victim, static_cast<std::ptrdiff_t>(below(model_.size())));
        wheel_.remove(*victim->second);
        free_.push_back(victim->second);
        model_.erase(victim);
    }

    void advance(time_point target) {
        now_ = std::max(now_, target);
        log_.clear();
        const std::size_t fired = wheel_.advance(target);
        std::vector<const model_timer*> expected;
        while (!model_.empty() && model_.begin()->first <= now_) {
            expected.push_back(model_.begin()->second);
            free_.push_back(model_.begin()->second);
            model_.erase(model_.begin());
        }
        EXPECT_EQ(fired, expected.size());
        EXPECT_EQ(log_, expected) << "at " << now_.time_since_epoch().count();
    }

    void check_next() {
        EXPECT_EQ(wheel_.size(), model_.size());
        const std::optional<time_point> event = wheel_.next_event();
        ASSERT_EQ(event.has_value(), !model_.empty());
        if (model_.empty()) {
            return;
        }
        const time_point earliest = model_.begin()->first;
        if (earliest <= now_) {
            EXPECT_LE(*event, now_);
            return;
        }
        EXPECT_LE(*event, earliest);
        EXPECT_GT(*event, now_);
    }

    std::mt19937_64 random_;
    time_point now_{};
    timer_wheel wheel_;
    armed model_;  // equal deadlines stay in the order of arming
    std::deque<model_timer> timers_;
    std::vector<model_timer*> free_;
    std::vector<const model_timer*> log_;
};

class TimerWheelModelTest : public testing::TestWithParam<std::uint64_t> {};

TEST_P(TimerWheelModelTest, FiresWhatASortedMapWouldInTheSameOrder) {
    wheel_and_model both(GetParam());
    for (int step = 0; step < 20'000 && !HasFailure(); ++step) {
        both.step();
    }
    both.finish();
}

INSTANTIATE_TEST_SUITE_P(Seeds, TimerWheelModelTest, testing::Range<std::uint64_t>(1, 13));

}  // namespace
}  // namespace weir
