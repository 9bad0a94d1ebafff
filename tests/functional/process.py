"""One eventchaind process: started, stopped, killed and frozen by its process id."""

import contextlib
import os
import signal
import subprocess

from programs import clean_environment, program

LOG_TAIL_LINES = 25


class Process:
    """An `executable` that is started with a configuration, again and again.

    All output goes to `log`. `environment` is added to the next process's. `within` makes a context
    in which the process is started: a host of its own, if it has one.
    """

    arguments = ()

    def __init__(self, name, configuration, log, settings):
        self.name = name
        self.configuration = configuration
        self.log = log
        self.environment = {}
        self.executable = "eventchaind"
        self.within = contextlib.nullcontext
        # Nodes that mine beside each other, on a host that runs other tests, would yield to that.
        self._settings = {"mining.stop_above": 100, "mining.steal_above": 100, **settings}
        self._process = None
        self._is_frozen = False

    def __repr__(self):
        return self.name

    @property
    def pid(self):
        return self._process.pid

    @property
    def is_running(self):
        return self._process is not None and self._process.poll() is None

    @property
    def is_frozen(self):
        return self._is_frozen

    def set(self, key, value):
        """A setting of the next process."""
        self._settings = {**self._settings, key: value}

    def settings(self):
        """What the next process is started with, beside its configuration."""
        return dict(self._settings)

    def start(self):
        """Starts the process and returns at once."""
        assert not self.is_running, f"{self.name} runs already"
        command = [program(self.executable), *self.arguments, "--config", str(self.configuration)]
        for key, value in self._settings.items():
            command += ["--set", f"{key}={value}"]
        with open(self.log, "ab") as output, self.within():
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**clean_environment(), **self.environment},
            )

    def kill(self):
        """SIGKILL: what is not on disk or on the wire by now never happened."""
        self._end(signal.SIGKILL)

    def stop(self):
        """SIGTERM, and the exit code 0 of an orderly end."""
        code = self._end(signal.SIGTERM)
        assert code == 0, f"{self.name} exited with {code}\n{self.log_tail()}"

    def end_of_itself(self):
        """The exit code of a process that ended without being asked to, and forgets it; else None."""
        code = None if self._process is None else self._process.poll()
        if code is not None:
            self._process = None
        return code

    def freeze(self):
        """SIGSTOP: alive for the kernel, silent for everybody else."""
        os.kill(self.pid, signal.SIGSTOP)
        self._is_frozen = True

    def thaw(self):
        os.kill(self.pid, signal.SIGCONT)
        self._is_frozen = False

    def _end(self, by):
        assert self.is_running, f"{self.name} is not running\n{self.log_tail()}"
        os.kill(self.pid, by)
        if self._is_frozen:
            self.thaw()
        code = self._process.wait(timeout=30)
        self._process = None
        return code

    def clean_up(self):
        """Ends the process in whatever state. Returns the exit code it had already, if any."""
        if self._process is None:
            return None
        code = self._process.poll()
        if code is None:
            self._process.kill()
            self._process.wait(timeout=30)
        self._process = None
        return code

    def log_tail(self):
        if not self.log.exists():
            return ""
        lines = self.log.read_text(errors="replace").splitlines()[-LOG_TAIL_LINES:]
        return "\n".join(f"  {self.name} | {line}" for line in lines)
