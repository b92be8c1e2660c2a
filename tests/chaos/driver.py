"""Runs the plan: keeps producers and workers going, and does to them and to Redis what it says.

All that is done is told to events.jsonl in the run's folder, with the monotonic clock that the
actors' journals have too; checker.py reads them together.
"""

import heapq
import itertools
import json
import mmap
import pathlib
import signal
import struct
import time

import queue_state
from processes import Actor
from redis_process import RedisError, RedisProcess

WORKERS = 5
PRODUCERS = 2
CONCURRENCY = 16
SUBMITTERS = 12
PAUSE_US = 60_000
LIMIT = 3_000
POLL_S = 0.01
DRAIN_LIMIT_S = 60.0
END_LIMIT_S = 15.0


class Unfit(Exception):
    """The run could not be made; says nothing about the queue."""


class Driver:
    def __init__(self, actor_program, folder, seed, lease_s, say):
        self.program = actor_program
        self.folder = pathlib.Path(folder)
        self.seed = seed
        self.lease_s = lease_s
        self.say = say
        self.events = open(self.folder / "events.jsonl", "a", buffering=1, encoding="utf-8")
        self.later = []
        self.order = itertools.count()
        self.incarnations = itertools.count()
        self.slots = {}
        self.away = set()  # slots that wait for their restart
        self.ending = []  # workers that were asked to end
        self.redis_was_away = time.monotonic()
        self.redis = RedisProcess(self.folder)
        (self.folder / "clock").write_bytes(bytes(8))
        with open(self.folder / "clock", "r+b") as file:
            self.clock = mmap.mmap(file.fileno(), 8)
        self.proxy = None

    # -- the world -----------------------------------------------------------------------------

    def tell(self, event, **more):
        self.events.write(json.dumps({"t": time.monotonic_ns(), "event": event, **more}) + "\n")

    def url_of(self, slot):
        """Every other actor is behind the proxy."""
        if slot.endswith(("1", "3")):
            return f"redis://127.0.0.1:{self.proxy.first_line.strip()}"
        return f"unix://{self.redis.socket}"

    def start_slot(self, slot):
        number = next(self.incarnations)
        label = f"{slot}-{number}"
        settings = {"url": self.url_of(slot)}
        if slot.startswith("w"):
            lease_ms = round(self.lease_s * 1000)
            settings.update(label=label, concurrency=CONCURRENCY, lease_ms=lease_ms,
                            heartbeat_ms=lease_ms // 10, grace_ms=200)
            kind = "worker"
        else:
            settings.update(name=label, seed=self.seed * 1000 + number, submitters=SUBMITTERS,
                            pause_us=PAUSE_US, limit=LIMIT)
            kind = "producer"
        self.away.discard(slot)
        self.slots[slot] = Actor(self.program, kind, label, self.folder, settings)
        self.tell("start", actor=label)

    def begin(self):
        self.redis.start()
        self.redis.wait_until_up()
        self.proxy = Actor(self.program, "proxy", "proxy", self.folder,
                           {"socket": self.redis.socket, "seed": self.seed}, wait_for_line=True)
        if not self.proxy.first_line.strip().isdigit():
            raise Unfit("the proxy does not start: " + self.proxy.error_end())
        for number in range(WORKERS):
            self.start_slot(f"w{number}")
        for number in range(PRODUCERS):
            self.start_slot(f"p{number}")

    def close(self):
        everyone = list(self.slots.values()) + self.ending + [self.proxy]
        for actor in everyone:
            if actor is not None and actor.is_alive():
                actor.kill()
        self.redis.kill()
        self.clock.close()
        self.events.close()

    # -- time ----------------------------------------------------------------------------------

    def after(self, seconds, function, *arguments):
        due = time.monotonic() + seconds
        heapq.heappush(self.later, (due, next(self.order), function, arguments))

    def run_until(self, end):
        while time.monotonic() < end:
            while self.later and self.later[0][0] <= time.monotonic():
                _, _, function, arguments = heapq.heappop(self.later)
                function(*arguments)
            self.look_after_actors()
            due = min(end, self.later[0][0]) if self.later else end
            time.sleep(max(0.0, min(POLL_S, due - time.monotonic())))

    def look_after_actors(self):
        """Actors that ended by themselves: only what could not reach Redis at its start may."""
        for slot, actor in list(self.slots.items()):
            if slot in self.away or actor.is_alive():
                continue
            self.ended(actor)
            self.restart_later(slot, 0.2)
        for actor in list(self.ending):
            if not actor.is_alive():
                self.ending.remove(actor)
                # One that has just begun may not listen to SIGTERM yet.
                if actor.process.returncode not in (0, -signal.SIGTERM):
                    self.ended(actor)
        if not self.proxy.is_alive():
            raise Unfit("the proxy has ended: " + self.proxy.error_end())

    def ended(self, actor):
        code = actor.process.returncode
        excused = code == 1 and self.redis_was_away > time.monotonic() - 20
        self.tell("exit", actor=actor.label, code=code, excused=excused, text=actor.error_end())

    def restart_later(self, slot, seconds):
        self.away.add(slot)
        self.after(seconds, self.start_slot, slot)

    # -- the faults ----------------------------------------------------------------------------

    def do(self, step):
        getattr(self, step.kind)(step)

    def victim(self, step, letter="w", least_left=2):
        """A running actor, unless too few were left."""
        running = sorted(slot for slot, actor in self.slots.items() if slot.startswith(letter)
                         and slot not in self.away and actor.is_alive() and not actor.is_stopped)
        if len(running) <= least_left:
            return None
        return running[step.pick % len(running)]

    def held_by(self, actor):
        """None where Redis cannot be asked."""
        if self.redis.state != "up":
            return None
        try:
            return queue_state.held_by(self.redis, actor.label)
        except RedisError:
            return None

    def kill(self, step):
        slot = self.victim(step)
        if slot is None:
            return
        actor = self.slots[slot]
        actor.stop()
        stopped = time.monotonic_ns()
        held = self.held_by(actor)
        actor.kill()
        self.tell("kill", actor=actor.label, at=stopped, held=held)
        self.restart_later(slot, step.length_s)

    def stop(self, step):
        slot = self.victim(step)
        if slot is None:
            return
        actor = self.slots[slot]
        actor.stop()
        self.tell("stop", actor=actor.label, at=time.monotonic_ns(), held=self.held_by(actor))
        self.after(step.length_s, self.resume, actor)

    def resume(self, actor):
        if actor.is_stopped and actor.is_alive():
            actor.resume()
            self.tell("resume", actor=actor.label)

    def pause(self, step):
        slot = self.victim(step)
        if slot is None:
            return
        actor = self.slots[slot]
        actor.stop()
        self.tell("pause", actor=actor.label)
        self.after(step.length_s, self.resume, actor)

    def terminate(self, step):
        slot = self.victim(step)
        if slot is None:
            return
        actor = self.slots[slot]
        self.tell("terminate", actor=actor.label)
        actor.terminate()
        self.ending.append(actor)
        self.restart_later(slot, step.length_s)

    def kill_producer(self, step):
        slot = self.victim(step, "p", 0)
        if slot is None:
            return
        self.slots[slot].kill()
        self.tell("kill_producer", actor=self.slots[slot].label)
        self.restart_later(slot, step.length_s)

    def kill_redis(self, step):
        if self.redis.state != "up":
            self.after(0.3, self.kill_redis, step)
            return
        self.tell("redis_away", kill=True)
        self.redis.kill()
        self.tell("redis_killed")
        self.after(step.length_s, self.start_redis)

    def start_redis(self):
        self.redis.start()
        self.await_redis(time.monotonic() + 30)

    def await_redis(self, limit):
        self.redis_was_away = time.monotonic()
        if self.redis.answers():
            self.tell("redis_back")
        elif time.monotonic() > limit:
            raise Unfit("redis-server does not come back: " + self.redis.log_end())
        else:
            self.after(0.01, self.await_redis, limit)

    def pause_redis(self, step):
        if self.redis.state != "up":
            return
        self.tell("redis_away", kill=False)
        self.redis.pause()
        self.after(step.length_s, self.resume_redis)

    def resume_redis(self):
        self.redis.resume()
        self.redis_was_away = time.monotonic()
        self.tell("redis_back")

    def ask_redis(self, *words):
        """Whether Redis could be told."""
        if self.redis.state != "up":
            return False
        try:
            self.redis.command(*words)
            return True
        except RedisError:
            return False

    def flush_scripts(self, _step):
        if self.ask_redis("SCRIPT", "FLUSH"):
            self.tell("flush_scripts")

    def fill_memory(self, step):
        if self.ask_redis("CONFIG", "SET", "maxmemory", 1):
            self.tell("memory_full")
            self.after(step.length_s, self.free_memory)

    def free_memory(self):
        if self.ask_redis("CONFIG", "SET", "maxmemory", 0):
            self.tell("memory_free")
        elif self.redis.state == "paused":
            self.after(0.1, self.free_memory)

    def move_clock(self, step):
        self.clock[:] = struct.pack("=q", step.shift_ns)
        self.tell("move_clock", shift_s=step.shift_ns / 1e9)

    def blackhole(self, step):
        self.proxy.stop()
        self.tell("blackhole")
        self.after(step.length_s, self.proxy.resume)

    # -- the end -------------------------------------------------------------------------------

    def settle(self):
        """Everything works again, and nobody submits: the queue has to run empty."""
        while any(function != self.start_slot for _, _, function, _ in self.later):
            self.run_until(time.monotonic() + 0.02)
        if self.redis.state != "up":
            raise Unfit("Redis is " + self.redis.state)
        self.redis.command("CONFIG", "SET", "maxmemory", 0)
        self.run_until(time.monotonic() + 0.5)
        self.finish([slot for slot in self.slots if slot.startswith("p")])
        self.tell("drain")
        end = time.monotonic() + DRAIN_LIMIT_S
        left = 1
        while left and time.monotonic() < end:
            self.run_until(time.monotonic() + 0.1)
            left = queue_state.size(self.redis)
        self.tell("drained", left=left)
        self.finish([slot for slot in self.slots if slot.startswith("w")])
        queue_state.write_state(self.redis, self.folder / "state.json")

    def finish(self, slots):
        """Actors end in order by SIGTERM."""
        actors = [self.slots.pop(slot) for slot in slots]
        for actor in actors:
            self.tell("terminate", actor=actor.label)
            actor.terminate()
        end = time.monotonic() + END_LIMIT_S
        while time.monotonic() < end and any(actor.is_alive() for actor in actors):
            time.sleep(POLL_S)
        for actor in actors:
            if actor.is_alive():
                actor.kill()
                self.tell("exit", actor=actor.label, code="none", excused=False,
                          text=f"did not end within {END_LIMIT_S:.0f} s of SIGTERM")
            elif actor.process.returncode != 0:
                self.ended(actor)

    def run(self, steps, seconds):
        self.begin()
        begun = time.monotonic()
        for step in steps:
            self.after(step.at_s, self.do, step)
        next_word = 60
        while time.monotonic() < begun + seconds:
            self.run_until(min(begun + seconds, begun + next_word))
            if time.monotonic() >= begun + next_word:
                self.say(f"{next_word // 60} of {seconds / 60:g} minutes")
                next_word += 60
        self.settle()
