# A machine in QEMU with pexpect on its serial line, for tests and scripts:
#   with Machine(Config(iso=...), limit=120) as m:
#       m.expect("TENON-DOM0:.* ready")
#       out = m.shell("ls /sys/bus/pci/devices")
# Whatever goes wrong, QEMU (by its process id) does not outlive the block, and the error shows the log's last lines.
import json
import os
import re
import shutil
import socket
import tempfile
import time
from pathlib import Path

import pexpect

from qemu import Config, command

class MachineError(AssertionError):
    pass


class Machine:
    def __init__(self, config: Config, limit: float = 300):
        self.config = config
        self.limit = limit
        self.scratch = Path(tempfile.mkdtemp(prefix="machine-"))
        config.log = config.log or self.scratch / "serial.log"
        config.log.parent.mkdir(parents=True, exist_ok=True)
        config.qmp = config.qmp or self.scratch / "qmp"
        self.child: pexpect.spawn | None = None
        self.deadline = 0.0
        self.calls = 0

    def __enter__(self) -> "Machine":
        argv = command(self.config, self.scratch)
        self.child = pexpect.spawn(argv[0], argv[1:], timeout=self.limit, encoding="utf-8", codec_errors="replace",
                                   maxread=65536, searchwindowsize=4096, echo=False, dimensions=(50, 250))
        self.child.delaybeforesend = None
        self.deadline = time.monotonic() + self.limit
        return self

    def __exit__(self, *_) -> None:
        self.kill()
        shutil.rmtree(self.scratch, ignore_errors=True)

    def kill(self) -> None:
        if self.child and self.child.isalive():
            self.child.kill(9)
            self.child.wait()  # much memory takes a while to be freed
        if self.child:
            self.child.close(force=True)

    @property
    def log(self) -> str:
        path = self.config.log
        text = path.read_bytes().decode(errors="replace") if path and path.exists() else ""
        return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", text.replace("\r", ""))

    def describe(self, what: str) -> str:
        tail = "\n".join(line for line in self.log.splitlines()[-40:] if line)
        c = self.config
        return (f"{what}\n  machine: {c.machine} {c.cpu} smp={c.smp} mem={c.memory} {c.firmware} {c.accel}"
                f"\n  log: {c.log}\n--- last lines of the serial log ---\n{tail}\n---")

    def lost(self, what: str) -> MachineError:
        """The machine does not do what is awaited: there is no going on with it."""
        error = MachineError(self.describe(what))
        self.kill()
        return error

    def expect(self, pattern: str | list[str], timeout: float | None = None) -> re.Match:
        """Waits for a pattern, or for the first of several."""
        patterns = pattern if isinstance(pattern, list) else [pattern]
        left = self.deadline - time.monotonic()
        limit = max(min(timeout or left, left), 1)
        if self.child.closed:
            raise MachineError("the machine is gone already")
        try:
            self.child.expect(patterns, timeout=limit)
        except pexpect.TIMEOUT:
            raise self.lost(f"no {patterns} within {limit:.0f} s") from None
        except pexpect.EOF:
            raise self.lost(f"QEMU ended while {patterns} was awaited") from None
        return self.child.match

    def send(self, text: str) -> None:
        if not self.child or self.child.closed:
            raise MachineError("the machine is gone already")
        self.child.send(text)

    def shell(self, text: str, timeout: float = 60, check: bool = True) -> str:
        """Runs a command in the shell that has the serial line; its output without the echo."""
        self.calls += 1
        n = self.calls
        # The echo of this line shows the quotes, so only what the shell itself prints can match.
        self.send(f'echo "<"{n}; {text}; echo "{n}"=$?">"\n')
        self.expect(rf"<{n}\s*\n", timeout)
        self.expect(rf"{n}=(\d+)>", timeout)
        code = int(self.child.match.group(1))
        output = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", self.child.before).replace("\r", "").strip("\n")
        if check and code:
            raise MachineError(f"{text!r} in dom0 ended with {code}:\n{output}")
        return output

    def wait_end(self, timeout: float = 60) -> None:
        """Waits until QEMU ends by itself, as it does on power-off and (with -no-reboot) on reset."""
        try:
            self.child.expect(pexpect.EOF, timeout=timeout)
        except pexpect.TIMEOUT:
            raise self.lost(f"QEMU still runs after {timeout:.0f} s") from None
        self.child.wait()

    def wait_line(self, matches, timeout: float) -> str:
        """Waits for a whole line of the log for which matches(line) is true, also when QEMU has ended."""
        end = time.monotonic() + timeout
        while True:
            try:
                over = self.child.expect([pexpect.EOF, r".+"], timeout=0.5) == 0
            except pexpect.TIMEOUT:
                over = False
            for line in self.log.splitlines()[:None if over else -1]:
                if matches(line):
                    return line
            if over or time.monotonic() > end:
                raise self.lost("QEMU ended without the line" if over else f"no such line within {timeout:.0f} s")

    def command(self, execute: str, **arguments) -> dict:
        """One QMP command."""
        with socket.socket(socket.AF_UNIX) as wire:
            wire.settimeout(10)
            wire.connect(os.fspath(self.config.qmp))
            stream = wire.makefile("rw")
            stream.readline()
            for request in ({"execute": "qmp_capabilities"}, {"execute": execute, "arguments": arguments}):
                stream.write(json.dumps(request) + "\n")
                stream.flush()
                while "event" in (reply := json.loads(stream.readline())):
                    pass
            if "error" in reply:
                raise MachineError(f"QEMU refused {execute}: {reply['error']['desc']}")
            return reply["return"]
