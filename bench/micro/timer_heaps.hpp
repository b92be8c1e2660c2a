// What the timer wheel is compared with: queues of the same timers with the same three operations.
//
//   insert(timer, deadline)   remove(timer)   fire_next(visit(timer, now)) -> now
//
// `Node` has `deadline`, and `place` or `entry` for the queue's own use.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <queue>
#include <utility>
#include <vector>
#include <weir/runtime/clock.hpp>

// Each timer knows its place, so that any of them leaves in O(log n).
template <class Node>
class binary_heap {
  public:
    explicit binary_heap(weir::time_point) {}

    void insert(Node& timer, weir::time_point deadline) {
        timer.deadline = deadline;
        places_.push_back({deadline, &timer});
        timer.place = places_.size() - 1;
        rise(timer.place);
    }

    void remove(Node& timer) {
        const std::size_t place = timer.place;
        const entry last = places_.back();
        places_.pop_back();
        if (place == places_.size()) {
            return;
        }
        put(place, last);
        sink(place);
        rise(last.timer->place);
    }

    template <class Visit>
    weir::time_point fire_next(Visit visit) {
        Node& first = *places_.front().timer;
        const weir::time_point now = first.deadline;
        remove(first);
        visit(first, now);
        return now;
    }

  private:
    struct entry {
        weir::time_point deadline;
        Node* timer;
    };

    void put(std::size_t place, const entry& what) {
        places_[place] = what;
        what.timer->place = place;
    }

    void rise(std::size_t place) {
        const entry moving = places_[place];
        while (place != 0 && moving.deadline < places_[(place - 1) / 2].deadline) {
            put(place, places_[(place - 1) / 2]);
            place = (place - 1) / 2;
        }
        put(place, moving);
    }

    void sink(std::size_t place) {
        const entry moving = places_[place];
        for (std::size_t child = 2 * place + 1; child < places_.size(); child = 2 * place + 1) {
            if (child + 1 < places_.size() &&
                places_[child + 1].deadline < places_[child].deadline) {
                ++child;
            }
            if (moving.deadline <= places_[child].deadline) {
                break;
            }
            put(place, places_[child]);
            place = child;
        }
        put(place, moving);
    }

    std::vector<entry> places_;
};

template <class Node>
class timer_map {
  public:
    explicit timer_map(weir::time_point) {}

    void insert(Node& timer, weir::time_point deadline) {
        timer.entry = timers_.emplace(deadline, &timer);
    }
    void remove(Node& timer) { timers_.erase(timer.entry); }

    template <class Visit>
    weir::time_point fire_next(Visit visit) {
        const auto [now, first] = *timers_.begin();
        timers_.erase(timers_.begin());
        visit(*first, now);
        return now;
    }

  private:
    std::multimap<weir::time_point, Node*> timers_;
};

// Cannot remove any but the first.
template <class Node>
class timer_priority_queue {
  public:
    explicit timer_priority_queue(weir::time_point) {}

    void insert(Node& timer, weir::time_point deadline) { timers_.emplace(deadline, &timer); }
    void remove(Node&) {}

    template <class Visit>
    weir::time_point fire_next(Visit visit) {
        const auto [now, first] = timers_.top();
        timers_.pop();
        visit(*first, now);
        return now;
    }

  private:
    using entry = std::pair<weir::time_point, Node*>;
    std::priority_queue<entry, std::vector<entry>, std::greater<>> timers_;
};
