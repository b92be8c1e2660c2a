"""What Redis holds of the queue, read by its documented layout (redisq/jobs/README.md)."""

import json
import re

PREFIX = "weir:{chaos}:"
LANES = [f"{PREFIX}s{lane}" for lane in range(4)]
GROUP = "w"
TOKEN = re.compile(rb'"token":"([^"]*)"')

# The entries that Redis takes for those of a worker, by the beginning of its name.
HELD_BY = """
local held = {}
for _, key in ipairs(KEYS) do
  local all = redis.pcall('XINFO', 'CONSUMERS', key, 'w')
  if not all.err then
    for _, info in ipairs(all) do
      if info[2]:sub(1, #ARGV[1]) == ARGV[1] then
        for _, each in ipairs(redis.call('XPENDING', key, 'w', '-', '+', 1000, info[2])) do
          local entry = redis.call('XRANGE', key, each[1], each[1])
          if entry[1] then held[#held + 1] = entry[1][2] end
        end
      end
    end
  end
end
return held
"""


def token_in(envelope):
    """The job's token; empty where the bytes hold none."""
    found = TOKEN.search(envelope)
    return found.group(1).decode() if found else ""


def number_at(data, at):
    """A LEB128 number and where it ends."""
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7


def last_reason(envelope):
    """Why the last attempt failed, of an envelope of version 1; empty where it does not tell."""
    try:
        if envelope[0] != 1 or not envelope[1] & 4:
            return ""
        at = 3 + envelope[2]
        size, at = number_at(envelope, at)
        end = at + size
        while at < end:
            letter = envelope[at:at + 1]
            size, at = number_at(envelope, at + 1)
            if letter == b"h":
                history = envelope[at:at + size].decode(errors="replace")
                return history.rstrip("\n").split("\n")[-1].split("\t")[-1]
            at += size
    except IndexError:
        pass
    return ""


def held_by(redis, label):
    """Tokens of the jobs that Redis takes for those of the worker with this label."""
    replies = redis.command("EVAL", HELD_BY, len(LANES), *LANES, label + ".")
    return [token_in(fields[1]) for fields in replies]


def size(redis):
    """Jobs that wait, are delayed or run."""
    return sum(redis.command("XLEN", lane) for lane in LANES) + \
        redis.command("ZCARD", PREFIX + "z")


def pairs(flat):
    return zip(flat[::2], flat[1::2])


def read_state(redis):
    """All jobs in Redis: {"queued": [{token, id}], "dead": [{token, id, reason}], "strays": N}."""
    queued = []
    alive = set()
    for lane, key in enumerate(LANES):
        for entry, fields in redis.command("XRANGE", key, "-", "+"):
            named = dict(pairs(fields))
            job = named.get(b"i", entry + b".%d" % lane).decode()
            alive.add(job)
            queued.append({"token": token_in(named.get(b"j", b"")), "id": job})
    strays = 0
    for job, value in pairs(redis.command("HGETALL", PREFIX + "h")):
        if not value.startswith(b"@"):
            queued.append({"token": token_in(value), "id": job.decode()})
        elif job.decode() not in alive:
            strays += 1
    dead = []
    for job, value in pairs(redis.command("HGETALL", PREFIX + "d")):
        dead.append({"token": token_in(value), "id": job.decode(), "reason": last_reason(value)})
    return {"queued": queued, "dead": dead, "strays": strays}


def write_state(redis, path):
    path.write_text(json.dumps(read_state(redis)))
