// Every public header of redisq/. A program that minds its build time includes what it uses.
#pragma once

#include "redisq/errors.hpp"
