// Counts what a machine executes between two marks in the guest: a plugin for QEMU's TCG.
//
// A mark is an eight-byte NOP, 0f 1f 84 00 <id> <id> e7 7e, that no compiler emits. An id below 0x8000 begins
// a measurement, the same id plus 0x8000 ends it and prints one line: "bench ID CLASS.WHAT=COUNT ...".
// Addresses tell who executes: user (lower half), hypervisor (ffff8000_00000000 to ffff87ff_ffffffff, by the
// PV ABI), kernel (the rest). All CPUs are added up.
//
// With OPCOUNT_TRAPS in the environment, "trap.WHAT" counts privileged instructions of a guest's kernel behind
// which the hypervisor comes next: those it has to emulate. (Every block then calls back, which is slow.)
#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugin.h"

EXPORT int qemu_plugin_version = 1;

enum class_of_code { user, kernel, hypervisor, classes };
enum what { instructions, cr3, invlpg, iret, sysret, msr, swapgs, io, control, flags, cpuid, whats };
static const char* const class_names[classes + 1] = {"user", "kernel", "hv", "trap"};
static const char* const what_names[whats] = {"insn",   "cr3", "invlpg",  "iret",  "sysret", "msr",
                                              "swapgs", "io",  "control", "flags", "cpuid"};

enum { traps = classes, max_cpus = 64 };
struct counters {
    uint64_t of[classes + 1][whats];
};
static enum what pending[max_cpus]; ///< what each CPU's last instruction was, if it may trap
static struct counters now, at_start;
static FILE* out;
static int watching_traps;

static enum class_of_code classify(uint64_t address)
{
    if (address >> 47 == 0)
        return user;
    return address >> 43 == 0xffff800000000000u >> 43 ? hypervisor : kernel;
}

/// Which costly instruction this is; `instructions` for all ordinary ones.
static enum what decode(const uint8_t* bytes, size_t size)
{
    size_t at = 0;
    while (at < size && (bytes[at] >> 4 == 4 || bytes[at] == 0x66 || bytes[at] == 0xf3)) // REX, 16 bits, REP
        at++;
    if (size <= at)
        return instructions;
    if (bytes[at] == 0xcf)
        return iret;
    if ((bytes[at] & 0xf4) == 0xe4 || (bytes[at] & 0xfc) == 0x6c) // in and out are e4-e7, ec-ef; ins and outs 6c-6f
        return io;
    if (bytes[at] == 0xfa || bytes[at] == 0xfb || bytes[at] == 0xf4) // cli, sti, hlt
        return flags;
    if (size < at + 2 || bytes[at] != 0x0f)
        return instructions;
    uint8_t modrm = size > at + 2 ? bytes[at + 2] : 0, reg = modrm >> 3 & 7;
    switch (bytes[at + 1]) {
    case 0x01: return modrm == 0xf8 ? swapgs : reg == 7 && modrm >> 6 != 3 ? invlpg : instructions;
    case 0x06:
    case 0x08:
    case 0x09:
    case 0x20:
    case 0x21:
    case 0x23: return control; // clts, invd, wbinvd, control and debug registers
    case 0x07: return sysret;
    case 0x22: return reg == 3 ? cr3 : control;
    case 0xa2: return cpuid;
    case 0x0b: return cpuid; // ud2 and a signature ask for an emulated CPUID
    case 0x30:
    case 0x32: return msr;
    default: return instructions;
    }
}

static void on_mark(unsigned cpu, void* data)
{
    (void)cpu;
    unsigned id = (unsigned)(uintptr_t)data;
    if (!(id & 0x8000)) {
        at_start = now;
        return;
    }
    struct counters end = now;
    fprintf(out, "bench %u", id & 0x7fff);
    for (int c = 0; c <= traps; c++)
        for (int w = 0; w < whats; w++)
            if (end.of[c][w] != at_start.of[c][w])
                fprintf(out, " %s.%s=%" PRIu64, class_names[c], what_names[w],
                        end.of[c][w] - at_start.of[c][w]);
    fputc('\n', out);
    fflush(out);
}

static void on_privileged(unsigned cpu, void* data)
{
    if (cpu < max_cpus)
        pending[cpu] = (enum what)(uintptr_t)data;
}

static void on_block(unsigned cpu, void* data)
{
    if (cpu >= max_cpus || pending[cpu] == instructions)
        return;
    if ((enum class_of_code)(uintptr_t)data == hypervisor)
        now.of[traps][pending[cpu]]++;
    pending[cpu] = instructions;
}

static void watch_traps(struct qemu_plugin_tb* block)
{
    for (size_t i = 0, count = qemu_plugin_tb_n_insns(block); i < count; i++) {
        struct qemu_plugin_insn* insn = qemu_plugin_tb_get_insn(block, i);
        enum class_of_code class = classify(qemu_plugin_insn_vaddr(insn));
        if (i == 0)
            qemu_plugin_register_vcpu_tb_exec_cb(block, on_block, no_registers, (void*)(uintptr_t)class);
        enum what kind = decode(qemu_plugin_insn_data(insn), qemu_plugin_insn_size(insn));
        if (class == kernel && kind != instructions)
            qemu_plugin_register_vcpu_insn_exec_cb(insn, on_privileged, no_registers, (void*)(uintptr_t)kind);
    }
}

static void on_translate(qemu_plugin_id_t plugin, struct qemu_plugin_tb* block)
{
    (void)plugin;
    if (watching_traps)
        watch_traps(block);
    for (size_t i = 0, count = qemu_plugin_tb_n_insns(block); i < count; i++) {
        struct qemu_plugin_insn* insn = qemu_plugin_tb_get_insn(block, i);
        const uint8_t* bytes = qemu_plugin_insn_data(insn);
        size_t size = qemu_plugin_insn_size(insn);
        uint64_t* counter = now.of[classify(qemu_plugin_insn_vaddr(insn))];
        qemu_plugin_register_vcpu_insn_exec_inline(insn, inline_add, &counter[instructions], 1);
        enum what kind = decode(bytes, size);
        if (kind != instructions)
            qemu_plugin_register_vcpu_insn_exec_inline(insn, inline_add, &counter[kind], 1);
        if (is_mark(bytes, size))
            qemu_plugin_register_vcpu_insn_exec_cb(insn, on_mark, no_registers, mark_id(bytes));
    }
}

EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info_t* info, int argc, char** argv)
{
    (void)info, (void)argc, (void)argv;
    const char* path = getenv("OPCOUNT_OUT");
    out = path ? fopen(path, "w") : stderr;
    if (!out)
        return -1;
    watching_traps = getenv("OPCOUNT_TRAPS") != NULL;
    qemu_plugin_register_vcpu_tb_trans_cb(id, on_translate);
    return 0;
}
