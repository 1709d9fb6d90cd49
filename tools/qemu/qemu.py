# What a machine in QEMU consists of, and the command line that QEMU wants for it.
import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path

OVMF_CODE = "/usr/share/OVMF/OVMF_CODE_4M.fd"
OVMF_VARS = "/usr/share/OVMF/OVMF_VARS_4M.fd"
DISKS = ("virtio", "ahci", "nvme")
NICS = ("e1000", "e1000e", "virtio")


@dataclass
class Config:
    iso: Path
    machine: str = "q35"
    cpu: str = "max"
    smp: int = 2
    memory: int = 1024                                   # MiB
    firmware: str = "bios"
    accel: str = "tcg"
    disks: list[tuple[str, Path]] = field(default_factory=list)   # (one of DISKS, raw image)
    nics: list[str] = field(default_factory=list)        # of NICS; the n-th is on user network 10.0.(2+n).0/24
    usb: bool = False                                    # an xHCI controller with a keyboard
    log: Path | None = None                              # everything that the serial line says
    debug: str = ""                                      # for QEMU's -d, e.g. "int,cpu_reset"
    debug_log: Path | None = None
    gdb: bool = False                                    # stop at reset and wait for gdb on port 1234
    display: str = "none"
    interactive: bool = False                            # Ctrl-A x leaves; the terminal is the serial line
    qmp: Path | None = None                              # Unix socket for machine commands
    extra: list[str] = field(default_factory=list)


def command(c: Config, scratch: Path) -> list[str]:
    """QEMU's arguments. `scratch` takes the firmware's variable store."""
    q35 = c.machine == "q35"
    out = ["qemu-system-x86_64", "-machine", c.machine, "-accel", accel_option(c), "-cpu", c.cpu,
           "-smp", str(c.smp), "-m", str(c.memory), "-no-reboot", "-nodefaults", "-vga", "std", "-display", c.display]
    serial = "stdio,id=serial0,signal=on" if c.interactive else "stdio,id=serial0,signal=off"
    if c.interactive:
        serial += ",mux=on"
    if c.log:
        serial += f",logfile={comma(c.log)},logappend=off"
    out += ["-chardev", serial, "-serial", "chardev:serial0"]
    if c.interactive:
        out += ["-mon", "chardev=serial0,mode=readline"]
    if c.qmp:
        out += ["-chardev", f"socket,id=qmp0,path={comma(c.qmp)},server=on,wait=off", "-mon", "chardev=qmp0,mode=control"]
    if c.firmware == "uefi":
        variables = scratch / "ovmf-vars.fd"
        shutil.copyfile(OVMF_VARS, variables)
        out += ["-drive", f"if=pflash,format=raw,unit=0,readonly=on,file={OVMF_CODE}",
                "-drive", f"if=pflash,format=raw,unit=1,file={comma(variables)}"]
    out += ["-drive", f"id=cd0,if=none,media=cdrom,readonly=on,file={comma(c.iso)}",
            "-device", f"ide-cd,drive=cd0,bootindex=0,bus=ide.{2 if q35 else 1}"]
    if "ahci" in [kind for kind, _ in c.disks] and not q35:
        out += ["-device", "ahci,id=ahci0"]
    for n, (kind, image) in enumerate(c.disks):
        device = {"virtio": f"virtio-blk-pci,drive=disk{n},serial=disk{n}",
                  "nvme": f"nvme,drive=disk{n},serial=disk{n}",
                  "ahci": f"ide-hd,drive=disk{n},serial=disk{n},bus={'ide' if q35 else 'ahci0'}.{n % 2}"}[kind]
        out += ["-drive", f"id=disk{n},if=none,format=raw,cache=unsafe,file={comma(image)}", "-device", device]
    for n, kind in enumerate(c.nics):
        device = {"virtio": "virtio-net-pci"}.get(kind, kind)
        out += ["-netdev", f"user,id=net{n},net=10.0.{2 + n}.0/24",
                "-device", f"{device},netdev=net{n},mac=52:54:00:12:34:{0x56 + n:02x},romfile="]
    if c.usb:
        out += ["-device", "qemu-xhci,id=xhci0", "-device", "usb-kbd,bus=xhci0.0"]
    if c.debug:
        out += ["-d", c.debug, "-D", str(c.debug_log or scratch / "qemu-debug.log")]
    if c.gdb:
        out += ["-s", "-S"]
    return out + c.extra


def comma(path: Path) -> str:
    return str(path).replace(",", ",,")


def accel_option(c: Config) -> str:
    if c.accel == "kvm":
        return "kvm"
    # One host thread a CPU, unless there are more CPUs than the host has: then a thread that holds a lock would lose
    # its processor to those that spin for it, while one thread for all changes over at each PAUSE.
    multi = 1 < c.smp <= (os.cpu_count() or 1) and "-icount" not in c.extra
    return f"tcg,tb-size=256,thread={'multi' if multi else 'single'}"
