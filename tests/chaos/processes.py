"""The actors as processes: started, killed, stopped and let go on."""

import ctypes
import os
import pathlib
import signal
import subprocess

PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None, use_errno=True)
# An address or thread sanitizer that has found something shall not look like an ordinary failure.
SANITIZER_EXIT = "exitcode=99"


def die_with_parent():
    """In a child between fork and exec: no actor outlives a driver that was killed."""
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Actor:
    """One process; `label` is its name among all that ever ran."""

    def __init__(self, program, kind, label, folder, settings, wait_for_line=False):
        self.kind = kind
        self.label = label
        self.journal = pathlib.Path(folder) / f"{label}.journal"
        self.errors = pathlib.Path(folder) / f"{label}.err"
        self.is_stopped = False
        words = [str(program), kind, f"clock={folder}/clock"]
        words += [f"{name}={value}" for name, value in settings.items()]
        if kind != "proxy":
            words.append(f"journal={self.journal}")
        environment = dict(os.environ, ASAN_OPTIONS=SANITIZER_EXIT, TSAN_OPTIONS=SANITIZER_EXIT)
        with open(self.errors, "wb") as errors:
            self.process = subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stderr=errors, env=environment,
                stdout=subprocess.PIPE if wait_for_line else subprocess.DEVNULL,
                preexec_fn=die_with_parent)
        self.first_line = self.process.stdout.readline().decode() if wait_for_line else ""

    def is_alive(self):
        return self.process.poll() is None

    def stop(self):
        """Returns when it does nothing any more."""
        self.process.send_signal(signal.SIGSTOP)
        self.is_stopped = True
        os.waitid(os.P_PID, self.process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)

    def resume(self):
        self.process.send_signal(signal.SIGCONT)
        self.is_stopped = False

    def kill(self):
        self.process.kill()
        self.process.wait()

    def terminate(self):
        self.process.send_signal(signal.SIGTERM)

    def error_end(self):
        return self.errors.read_text(errors="replace").strip()[-500:]
