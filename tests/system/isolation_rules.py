# What the address spaces of a stopped machine have to be like. Each rule adds to `wrong` what breaks it; figures go
# to `seen`. A machine stops anywhere, also between two stores that belong together, so some rules allow what is on its
# way: only on behalf of CPUs that are in the hypervisor at that moment (`busy`), and never a frame that is another
# domain's.
from collections import Counter

import numpy as np

from page_tables import (AREA_END, COMM_MARK, DESCRIPTOR, DOM_IDLE, DOM_INVALID, DOM_IO, DOM_XEN, DOMAIN, FIRST,
                         FIRST_RESERVED, FPU, HEAP, IMAGE, L1, LARGE, LAST, M2P, NO_EXECUTE, OWN, PAGE, PRESENT, PRIVATE_BIT, STATE,
                         RESERVED_GDT, SHARED, STACK, TABLE, USER, WINDOW_COUNT, WINDOWS, WRITABLE, Pages, Ram,
                         Snapshot, number, slot_base)

ACCESSED_DIRTY = np.uint64(0x60)
KERNEL_SLOTS, USER_SLOTS = range(FIRST, LAST + 1), (IMAGE, DOMAIN)


class Area:
    """What a domain's slot 260 maps."""

    def __init__(self, ram: Ram, entry):
        self.pages = ram.walk(entry, slot_base(DOMAIN), 4)
        inside = (self.pages.va - np.uint64(slot_base(DOMAIN))).astype(np.int64)
        self.page = inside >> 12 & 511
        self.vcpu = (inside & (PRIVATE_BIT - 1)) >> 21
        self.is_private = inside & PRIVATE_BIT != 0
        self.is_known = inside < 2 * PRIVATE_BIT
        self.is_window = self.is_private & (self.page >= WINDOWS) & (self.page < WINDOWS + WINDOW_COUNT)
        self.is_stack = ~self.is_private & (self.page >= STACK) & (self.page < AREA_END)
        self.is_descriptor = ~self.is_private & (self.page < STACK)
        fixed = self.is_private & ((self.page == FPU) | (self.page == STATE) | (self.page == TABLE))
        self.is_known &= self.is_window | self.is_stack | self.is_descriptor | fixed
        self.secret = np.concatenate([self.pages.frame[self.is_stack | fixed], self.pages.tables])


class Rules:
    def __init__(self, ram: Ram, root: int):
        self.ram, self.root = ram, root
        self.seen: Counter = Counter()
        self.wrong: list[str] = []

    def check(self, snapshot: Snapshot) -> None:
        self.now, self.before = snapshot, len(self.wrong)
        self.busy = sum(cpu.in_hypervisor for cpu in snapshot.cpus)
        self.seen["samples"] += 1
        self.check_shared()
        self.areas: dict[int, Area] = {DOM_IDLE: Area(self.ram, self.ram.tables[self.root, DOMAIN])}
        self.kernel_entries: dict[int, np.ndarray] = {}
        self.user_entries: dict[int, int] = {}
        for domain in np.unique(self.now.owner[self.now.tables_of(None, 4)]).tolist():
            self.check_roots(domain)
        for domain in self.kernel_entries:
            self.check_area(domain)
            self.check_own_map(domain)
            if domain != 0:
                self.check_guest_part(domain)
        self.check_secrets_are_apart()
        self.check_cpus()
        for line in self.wrong[self.before:]:
            print(f"sample {self.seen['samples']}: {line}")

    def has_window(self, snapshot: Snapshot, domain: int) -> bool:
        """Whether such a domain's CPU has a window open: the quick look that finds rare moments."""
        roots = [cpu.cr3 for cpu in snapshot.cpus if cpu.in_hypervisor and snapshot.owner[cpu.cr3] == domain]
        return any(Area(self.ram, self.ram.tables[l4, DOMAIN]).is_window.any() for l4 in roots)

    def need(self, good: bool, text: str) -> None:
        if not good:
            cpus = "; ".join(f"cpl {c.cpl} rip {c.rip:x} cr3 {c.cr3:x} vcpu {c.vcpu}" for c in self.now.cpus)
            self.wrong.append(f"{text} [{cpus}]")

    def need_none(self, bad: np.ndarray, pages: Pages, text: str) -> None:
        if bad.any():
            first = int(np.flatnonzero(bad)[0])
            frame = int(pages.frame[first])
            owner = f"{int(self.now.owner[frame]):x}" if frame < self.now.end else "no RAM"
            self.need(False, f"{text}: {int(bad.sum())} pages, first {int(pages.va[first]):x} frame {frame:x} owner {owner}")

    def check_flags(self, pages: Pages, where: str) -> None:
        self.need_none(pages.has(WRITABLE) & ~pages.has(NO_EXECUTE), pages, f"{where}: writable and executable")
        self.need_none(pages.has(USER), pages, f"{where}: user mode can reach the hypervisor's pages")

    # The slots that all domains share: nobody's memory but the communication pages.

    def check_shared(self) -> None:
        root, now = self.ram.tables[self.root], self.now
        self.shared_frames = np.zeros(now.end, bool)
        for slot in SHARED:
            pages = self.ram.slot(self.root, slot)
            self.check_flags(pages, f"slot {slot}")
            self.seen["pages of shared slots"] += len(pages)
            every = pages.frames()
            inside = every < now.end
            frames = every[inside]
            self.shared_frames[frames] = True
            self.need(slot == IMAGE or inside.all(), f"slot {slot} maps what is no RAM")
            bad = (now.owner[frames] != DOM_XEN) & (now.owner[frames] != DOM_IO)
            if slot == HEAP:  # a page on its way from the allocator to the heap has no owner
                comm = bad & now.is_comm_page(frames)
                self.seen["communication pages"] += int(comm.sum())
                bad &= ~comm
            if bad.any():
                which = np.flatnonzero(bad)[0]
                self.need(False, f"slot {slot}: {int(bad.sum())} frames of a domain, first {int(pages.vas()[inside][which]):x} "
                                 f"frame {int(frames[which]):x} owner {int(now.owner[frames[which]]):x}")
        self.need(not root[OWN:LAST + 1].any(), "the root table has an own map")
        self.need(not root[:FIRST].any() and not root[LAST + 1:].any(), "the root table has a guest's part")

    # What stands in the L4s.

    def shared_entry(self, slot: int) -> int:
        entry = int(self.ram.tables[self.root, slot])
        return (entry | int(USER)) & ~int(WRITABLE) if slot == M2P else entry

    def check_roots(self, domain: int) -> None:
        """All L4s of a domain are of two sorts, and those of one sort are the same in the hypervisor's slots."""
        roots = self.now.tables_of(domain, 4)
        self.need(domain < FIRST_RESERVED, f"L4 {int(roots[0]):x} is {domain:x}'s")
        slots = self.ram.tables[roots][:, FIRST:LAST + 1] & ~ACCESSED_DIRTY
        self.seen["L4s"] += len(roots)
        for_kernel = slots[:, HEAP - FIRST] != 0
        loaded = {cpu.cr3 for cpu in self.now.cpus}
        half_done = 0
        for kind, rows, l4s, used in ((self.kernel_entries, slots[for_kernel], roots[for_kernel], KERNEL_SLOTS),
                                      (self.user_entries, slots[~for_kernel], roots[~for_kernel], USER_SLOTS)):
            if not len(rows):
                continue
            expected = np.array([self.shared_entry(s) & ~int(ACCESSED_DIRTY) if s in SHARED and s in used else 0
                                 for s in KERNEL_SLOTS], np.uint64)
            usual, counts = np.unique(rows, axis=0, return_counts=True)
            mine = usual[counts.argmax()]
            for slot in used:
                if slot >= DOMAIN:
                    expected[slot - FIRST] = mine[slot - FIRST]
            kind[domain] = expected
            for row, l4 in zip(rows[(rows != expected).any(axis=1)], l4s[(rows != expected).any(axis=1)]):
                half_done += 1  # install_slots() is at it
                bad = [FIRST + int(i) for i in np.flatnonzero(row != expected)]
                self.need(half_done <= self.busy and int(l4) not in loaded, f"L4 {int(l4):x} of {domain}: slots {bad} differ")
        self.seen["L4s for user mode"] += int((~for_kernel).sum())
        self.seen["L4s that are being prepared"] += half_done

    # Slot 260.

    def check_area(self, domain: int) -> None:
        now = self.now
        area = self.areas[domain] = Area(self.ram, self.kernel_entries[domain][DOMAIN - FIRST])
        pages = area.pages
        self.check_flags(pages, f"areas of {domain}")
        self.need_none(~area.is_known, pages, f"areas of {domain}: what is this?")
        fixed = ~area.is_window & ~area.is_descriptor
        self.need_none(fixed & (now.owner[pages.frame] != DOM_XEN), pages, f"areas of {domain}: not the hypervisor's")
        reserved = area.is_descriptor & (area.page == RESERVED_GDT)
        tables = area.is_descriptor & ~reserved
        self.need_none(tables & ((now.owner[pages.frame] != domain) | (now.type[pages.frame] != DESCRIPTOR)), pages,
                       f"areas of {domain}: descriptor tables that are not its own")
        self.need_none(reserved & ~self.shared_frames[pages.frame], pages, f"areas of {domain}: not a CPU's descriptor page")
        self.seen["stacks and FPU areas"] += int((area.is_stack | area.is_private & (area.page == FPU)).sum())
        self.check_windows(domain, area)
        if domain in self.user_entries:
            user = Area(self.ram, self.user_entries[domain][DOMAIN - FIRST])
            self.check_flags(user.pages, f"areas of {domain} in user mode")
            self.need_none(~user.is_known | user.is_private, user.pages, f"user mode of {domain} sees more than areas")

    def check_windows(self, domain: int, area: Area) -> None:
        """A window is open while its vCPU is in the hypervisor; they are opened in order."""
        now = self.now
        self.need(int(area.is_window.sum()) <= WINDOW_COUNT * max(self.busy, 1), f"{domain} has more windows than CPUs can use")
        for vcpu in np.unique(area.vcpu[area.is_window]).tolist():
            mine = area.is_window & (area.vcpu == vcpu)
            cpu = now.running(domain, vcpu)
            self.need(cpu is not None and cpu.in_hypervisor, f"{domain}.{vcpu} has a window and is not in the hypervisor")
            self.need(sorted(area.page[mine]) == list(range(WINDOWS, WINDOWS + int(mine.sum()))),
                      f"{domain}.{vcpu}: windows {sorted(area.page[mine])}")
            for frame in area.pages.frame[mine].tolist():
                owner = int(now.owner[frame]) if frame < now.end else DOM_IO
                kind = "own" if owner == domain else "unowned" if owner in (DOM_XEN, DOM_INVALID) else "other"
                self.seen[f"windows of {'dom0' if domain == 0 else 'guests'}: {kind}"] += 1
                if domain != 0 and kind == "other":
                    self.need(self.is_granted(frame, domain),
                              f"{domain}.{vcpu} has a window on {frame:x} of {owner:x}, not granted")

    def is_granted(self, frame: int, to: int) -> bool:
        """Whether the owner's grant table (version 1: flags u16, domain u16, frame u32) offers a frame to a domain."""
        for page in np.flatnonzero((self.now.owner == self.now.owner[frame]) & (self.now.next == COMM_MARK)):
            entries = self.ram.tables[page]
            if ((entries & np.uint64(3) != 0) & (entries >> np.uint64(16) & np.uint64(0xffff) == to) &
                    (entries >> np.uint64(32) == frame)).any():
                return True
        return False

    def check_secrets_are_apart(self) -> None:
        """Stacks, FPU areas, private tables and the tables above them: in one domain's areas, in nothing shared."""
        owner = np.full(self.now.end, -1, np.int64)
        for domain, area in self.areas.items():
            secret = np.unique(area.secret)
            others = secret[owner[secret] != -1]
            self.need(not len(others), f"areas of {domain} share frames {others[:4]} with {owner[others[:4]]}'s")
            owner[secret] = domain
            self.need(not self.shared_frames[secret].any(), f"a shared slot maps what areas of {domain} consist of")
            self.seen["frames of areas"] += len(secret)
        for domain, area in self.areas.items():
            frames = area.pages.frame[area.is_window]
            if domain not in (0, DOM_IDLE):
                for frame in frames[(owner[frames] != -1) & (owner[frames] != domain)]:
                    self.need(False, f"a window of {domain} shows {int(frame):x}, of {owner[frame]}'s areas")
        self.secret_of = owner

    # Slots 261-271.

    def check_own_map(self, domain: int) -> None:
        """Exactly the domain's frames. A frame enters the map before it gets its owner, a block of up to 2^18 of them
        at once, and leaves it before it loses the owner; a CPU does one such thing at a time."""
        now = self.now
        entries = self.kernel_entries[domain][OWN - FIRST:]
        pages = self.ram.walk(entries, [slot_base(OWN + i) for i in range(len(entries))], 4)
        self.check_flags(pages, f"own map of {domain}")
        frames = pages.frames()
        place = (pages.vas() - np.uint64(slot_base(OWN))).astype(np.int64) // PAGE
        self.need((frames == place).all(), f"own map of {domain}: a frame at another's place")
        if not (frames < now.end).all():
            return self.need(False, f"own map of {domain} has what is no RAM")
        mapped = np.zeros(now.end, bool)
        mapped[frames] = True
        owned = now.owner == domain
        extra, missing = np.flatnonzero(mapped & ~owned), np.flatnonzero(owned & ~mapped)
        self.seen["frames compared"] += int((mapped | owned).sum())
        self.seen["own maps"] += 1
        self.seen["large pages"] += int((pages.count > 1).sum())
        foreign = extra[now.owner[extra] < FIRST_RESERVED]
        self.need(not len(foreign), f"own map of {domain} has {len(foreign)} frames of others, first {foreign[:1]} "
                                    f"of {now.owner[foreign[:1]]}")
        blocks = int((np.diff(extra) > 1).sum()) + bool(len(extra))
        self.need(blocks + len(missing) <= self.busy and (now.owner[extra] == DOM_XEN).all(),
                  f"own map of {domain}: {len(extra)} frames too many (from {extra[:1]}), "
                  f"{len(missing)} missing (from {missing[:1]})")
        self.seen["own maps that differ"] += bool(len(extra) or len(missing))
        self.seen["frames in flight"] += len(extra) + len(missing)

    # The guest's own part.

    def check_guest_part(self, domain: int) -> None:
        """All tables of an unprivileged domain, also those of programs that do not run."""
        now = self.now
        for level in (1, 2, 3, 4):
            tables = now.tables_of(domain, level)
            rows = self.ram.tables[tables]
            if level == 4:
                rows = np.delete(rows, KERNEL_SLOTS, axis=1)
            which, index = np.nonzero(rows & PRESENT)
            entries = rows[which, index]
            frames = number(entries)
            self.seen["guests' entries"] += len(frames)
            if not len(frames):
                continue
            self.need((frames < now.end).all(), f"an L{level} of {domain} names what is no RAM")
            frames, entries = frames[frames < now.end], entries[frames < now.end]
            if level > 1:
                good = now.is_table[frames] & (now.type[frames] == L1 + level - 2) & (now.owner[frames] == domain)
                self.need(good.all() and not (entries & LARGE).any(),
                          f"an L{level} of {domain} names what is no L{level - 1} of its")
                continue
            for frame in np.unique(frames[now.owner[frames] != domain]).tolist():
                self.seen["granted frames that guests map"] += 1
                self.need(self.is_granted(frame, domain), f"{domain} maps {frame:x} of {int(now.owner[frame]):x}, not granted")
            written = frames[entries & WRITABLE != 0]
            typed = written[(now.type[written] >= L1) & (now.type_count[written] > 0)]
            self.need(not len(typed), f"{domain} can write {typed[:4]}, which are tables")

    # What the CPUs have loaded at this moment.

    def check_cpus(self) -> None:
        now = self.now
        for cpu in now.cpus:
            if cpu.cr3 == self.root:
                self.need(cpu.in_hypervisor, "a guest runs on the root table")
                self.seen["CPUs idle"] += 1
                continue
            owner = int(now.owner[cpu.cr3])
            self.need(cpu.cr3 in now.tables_of(None, 4), f"CPU {cpu.number} runs on {cpu.cr3:x}, which is no L4")
            has_heap = bool(self.ram.tables[cpu.cr3, HEAP] & PRESENT)
            who = "dom0" if owner == 0 else "guests"
            if cpu.in_user_mode:
                self.need(not has_heap, f"CPU {cpu.number}: user mode of {owner} on tables for kernel mode")
                self.check_user_table(cpu.cr3)
                self.seen[f"CPUs in user mode of {who}"] += 1
            elif not cpu.in_hypervisor:
                self.need(has_heap, f"CPU {cpu.number}: kernel of {owner} on tables for user mode")
                self.seen[f"CPUs in the kernel of {who}"] += 1
            else:
                self.seen[f"CPUs in the hypervisor for {who}"] += 1
            self.check_everything_loaded(cpu.cr3, owner)

    def check_user_table(self, l4: int) -> None:
        """Nothing but the image and areas, whatever the other user tables of this domain are like."""
        used = [FIRST + int(i) for i in np.flatnonzero(self.ram.tables[l4, FIRST:LAST + 1])]
        self.need(used == [IMAGE, DOMAIN], f"user mode has slots {used}")
        pages = self.ram.slot(l4, DOMAIN)
        inside = (pages.va - np.uint64(slot_base(DOMAIN))).astype(np.int64)
        self.need_none((inside >= PRIVATE_BIT) | (inside >> 12 & 511 >= AREA_END), pages, "user mode sees more than areas")
        self.check_flags(pages, "areas in user mode")

    def check_everything_loaded(self, l4: int, domain: int) -> None:
        """The whole tree from CR3: which frames it reaches, however it got there. dom0's own part, large and without
        rules but one, takes its turn only."""
        now = self.now
        slots = KERNEL_SLOTS if domain == 0 and self.seen["samples"] % 4 else range(512)
        pages = self.ram.walk(self.ram.tables[l4, slots], [slot_base(i) for i in slots], 4)
        slot = (pages.va >> np.uint64(39) & np.uint64(511)).astype(np.int64)
        ours = (slot >= FIRST) & (slot <= LAST)
        self.need_none(ours & pages.has(USER) & (slot != M2P), pages, f"user bit in the hypervisor's slots of {domain}")
        self.need_none(ours & pages.has(WRITABLE) & pages.has(USER), pages, f"{domain} can write the machine-to-physical table")
        self.need_none(ours & pages.has(WRITABLE) & ~pages.has(NO_EXECUTE), pages, f"writable and executable in {domain}")
        frames = pages.frame
        ram = frames < now.end
        owner = np.full(len(frames), DOM_IO)
        owner[ram] = now.owner[frames[ram]]
        is_comm_page = (slot == HEAP) & now.is_comm_page(np.where(ram, frames, 0))
        foreign = ours & (owner < FIRST_RESERVED) & (owner != domain) & ~is_comm_page
        inside = (pages.va - np.uint64(slot_base(DOMAIN)) * (slot == DOMAIN)).astype(np.int64)
        window = (slot == DOMAIN) & (inside & PRIVATE_BIT != 0) & ((inside >> 12 & 511) - WINDOWS < WINDOW_COUNT)
        self.need_none(foreign & ~window, pages, f"{domain} has frames of others")
        secret = np.full(len(frames), -1, np.int64)
        secret[ram] = self.secret_of[frames[ram]]
        self.need_none((secret != -1) & (secret != domain) & ~(window & (domain == 0)), pages, f"{domain} has areas of others")
        if domain != 0:
            self.need_none(~ours & (owner != domain) & ~self.granted(frames, owner, domain), pages,
                           f"{domain} maps others' frames")
        self.seen["pages of loaded tables"] += len(pages)

    def granted(self, frames: np.ndarray, owners: np.ndarray, domain: int) -> np.ndarray:
        foreign = np.flatnonzero(owners != domain)
        result = np.ones(len(frames), bool)
        result[foreign] = [owners[i] < FIRST_RESERVED and self.is_granted(int(frames[i]), domain) for i in foreign]
        return result
