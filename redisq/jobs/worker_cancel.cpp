// Jobs that somebody wants canceled, of which a heartbeat has heard.
#include <algorithm>
#include <set>
#include <utility>

#include "detail/worker_core.hpp"
#include "queue.hpp"

namespace weir::redisq::detail {

void worker_core::cancel_jobs(worker_queue& queue, const resp::reply_view& ids, std::size_t from) {
    if (from >= ids.size()) {
        return;
    }
    std::set<std::string, std::less<>> asked;
    for (std::size_t i = from; i < ids.size(); ++i) {
        asked.emplace(ids[i].text());
    }
    std::vector<job_context*> ours;
    for_each_job([&](job_context& job) {
        if (job.queue_ == &queue && job.epoch_ == queue.epoch && asked.contains(job.id())) {
            ours.push_back(&job);
        }
    });
    for (job_context* const job : ours) {
        const std::string id = job->id();
        if (cancel_job(*job) && asked.erase(id) != 0) {
            queue.canceled.push_back(id);
        }
    }
    // Those that are looked for already are named once more until they were found.
    std::erase_if(asked,
                  [&queue](const std::string& id) { return !queue.chased.insert(id).second; });
    if (!asked.empty()) {
        tasks_->spawn(guarded(
            cancel_elsewhere(&queue, std::vector<std::string>(asked.begin(), asked.end()))));
    }
}

// False: it is on its way to the delayed jobs, or to the next step of its chain.
bool worker_core::cancel_job(job_context& job) {
    if (job.place_ == job_context::place::running) {
        ask_to_stop(job, job_context::stop_reason::canceled);
        return true;
    }
    if (job.place_ != job_context::place::ended) {
        take_out(job);
        if (admit(job)) {
            end_canceled(job);
        }
        return true;
    }
    const auto goes_on = [&job](const job_end& end) {
        const bool is_step = end.what == job_end::kind::settle && !end.bytes.empty();
        return end.job == &job && (is_step || end.what == job_end::kind::retry);
    };
    const auto waiting = std::ranges::find_if(job.queue_->ends, goes_on);
    if (waiting != job.queue_->ends.end()) {
        ++stats_.canceled;
        *waiting = {&job, job_end::kind::settle, "c", {}, 0};
        return true;
    }
    return std::ranges::none_of(job.queue_->ends_sent, goes_on);
}

// Those that this worker does not have: since they were asked for, they may have failed and wait
// for another attempt, or run in another worker. Most have ended. The call takes the id from those
// that are to be canceled, or notes the worker that has it now.
task<> worker_core::cancel_elsewhere(worker_queue* queue, std::vector<std::string> ids) {
    redisq::queue again(queue->server, queue->keys.queue());
    for (const std::string& id : ids) {
        if (!parse_job_id(id)) {
            queue->canceled.push_back(id);  // no job has it
        }
        try {
            static_cast<void>(co_await again.cancel(id));
        } catch (const exception& problem) {
            report_trouble(*queue, "job " + id + " could not be canceled: " + problem.what());
        }
        queue->chased.erase(id);
    }
}

}  // namespace weir::redisq::detail
