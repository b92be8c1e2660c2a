// What a campaign has measured so far, and how a measurement is made: in a process of its own, and
// not tried again where it has failed.
#pragma once

#include <chrono>
#include <functional>
#include <set>
#include <string>

#include "../support/cores.hpp"
#include "../support/isolate.hpp"
#include "../support/progress_line.hpp"
#include "campaign.hpp"

namespace jobs {

class record {
  public:
    explicit record(bool progress) : progress_(progress) {}

    [[nodiscard]] bench::core_pair cores() const { return cores_; }

    // What is said before the name of each measurement from now on: "round 2 of 3, off: ".
    void enter(std::string place) { place_ = std::move(place); }
    void note(std::string text) { out_.notes.push_back(std::move(text)); }
    void server_is(const std::string& version) { out_.figures.server = version; }

    // The row of that shape, which is made where it is not there.
    [[nodiscard]] row& row_of(const shape& of);

    // Calls `work`, unless that has failed before for this shape; what it throws is a note.
    void attempt(const shape& of, const std::function<void()>& work);
    [[nodiscard]] bool has_failed(const shape& of) const { return failed_.contains(text_of(of)); }

    // The figures of `work`, in a process of its own on the client's core, which is ended where it
    // takes far longer than expected.
    template <class Work>
    [[nodiscard]] figures isolated(double expected_s, const Work& work) const {
        constexpr std::chrono::seconds patience{20};
        const std::chrono::duration<double> most(expected_s * 4);
        return bench::isolate<figures>(
            cores_.client, patience + std::chrono::ceil<std::chrono::seconds>(most), work);
    }

    // By durability, client, phase and threads; those that were measured.
    [[nodiscard]] outcome finish() &&;

  private:
    // "drain, everysec, 2 threads"
    [[nodiscard]] static std::string text_of(const shape& of);

    bench::progress_line progress_;
    bench::core_pair cores_ = bench::choose_cores();
    std::set<std::string> failed_;
    std::string place_;
    outcome out_;
};

}  // namespace jobs
