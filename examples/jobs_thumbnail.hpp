// The job that jobs_producer submits and jobs_worker runs; both programs know it by this file.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <weir/redisq/jobs/job_type.hpp>

struct resize {
    std::string url;
    int width = 0;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(resize, url, width)

// Carries a resize, gives a text back.
inline const weir::redisq::job_type<resize, std::string> thumbnail{"thumbnail"};
