// Every public header of pool/. A program that minds its build time includes what it uses.
#pragma once

#include "pool/batch.hpp"
#include "pool/errors.hpp"
#include "pool/join_handle.hpp"
#include "pool/options.hpp"
#include "pool/owned.hpp"
#include "pool/pool.hpp"
#include "pool/with_pool.hpp"
