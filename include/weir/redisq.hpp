// Every public header of redisq/. A program that minds its build time includes what it uses.
#pragma once

#include "redisq/call_options.hpp"
#include "redisq/client.hpp"
#include "redisq/errors.hpp"
#include "redisq/options.hpp"
#include "redisq/pipeline.hpp"
#include "redisq/replies.hpp"
#include "redisq/resp/encoder.hpp"
#include "redisq/resp/limits.hpp"
#include "redisq/resp/parser.hpp"
#include "redisq/resp/reply.hpp"
#include "redisq/resp/reply_view.hpp"
#include "redisq/resp/type.hpp"
#include "redisq/slot.hpp"
#include "redisq/transaction.hpp"
#include "redisq/url.hpp"
