// The Lua scripts of the job queue: what has to happen in one piece on the server.
//
//     for (const weir::redisq::job_script& each : weir::redisq::job_scripts()) {
//         report(each.name);
//     }
//
// Which keys and arguments each takes, what it answers and what it costs stands in
// redisq/jobs/README.md, from which a client in another language can be written. All keys of one
// call have the tag {queue}, so a queue lives in one slot of a cluster. Times are the server's.
//
// Thread: any; constants.
#pragma once

#include <span>
#include <string_view>

namespace weir::redisq {

struct job_script {
    std::string_view name;
    std::string_view text;
};

namespace scripts {

extern const job_script submit;    // up to a number of jobs while the queue is below its limit
extern const job_script size;      // how many jobs there are
extern const job_script file;      // one job that is unique, delayed or both
extern const job_script promote;   // what is due moves from the delayed jobs to its stream
extern const job_script settle;    // the end of a job that leaves more behind than its entry
extern const job_script retry;     // a claimed job becomes a delayed one
extern const job_script bury;      // a claimed job goes to the dead
extern const job_script join;      // a worker gets its lease, the streams their group
extern const job_script beat;      // a worker renews its lease and hears what is new
extern const job_script reap;      // claims what expired workers held
extern const job_script recall;    // takes up what a worker holds and has lost sight of
extern const job_script aside;     // a claimed job of a later version is left to nobody
extern const job_script leave;     // a worker hands back what it holds and ends its lease
extern const job_script cancel;    // ends a job that waits, or asks its worker to
extern const job_script discard;   // removes jobs that wait, many at a time
extern const job_script progress;  // what a running job says of itself
extern const job_script rate;      // starts of jobs under a rate limit
extern const job_script tick;      // one job for one tick of a schedule, however many ask
extern const job_script revive;    // a dead job is queued again
extern const job_script aio_beat;  // nb_aio_task: renews a consumer's lease
extern const job_script aio_take;  // nb_aio_task: a consumer takes calls
extern const job_script aio_fail;  // nb_aio_task: a call has failed
extern const job_script aio_back;  // nb_aio_task: calls of a consumer that is gone go back

}  // namespace scripts

// All of them.
[[nodiscard]] std::span<const job_script> job_scripts() noexcept;

}  // namespace weir::redisq
