// RQ's part of a round: what it can do of the phases, with fewer jobs, since it is slower by two or
// three orders of magnitude.
#pragma once

#include "options.hpp"
#include "record.hpp"
#include "rq.hpp"

namespace jobs {

// The rows' shapes have client::rq. `steady` is half of what it bears, as for ours, and is left out
// where submit_one or drain was not asked for. Throws bench::bench_error where the server cannot be
// started.
void run_rq(record& into, const rq& client, const options& asked, durability kept);

}  // namespace jobs
