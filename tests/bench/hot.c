// Where in Tenon instructions are executed between two marks in the guest: a plugin for QEMU's TCG. For each
// measurement it writes "bench ID", then "ADDRESS COUNT" for every instruction of Tenon's code that was executed.
// tests/bench/hot.py turns that into functions.
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "plugin.h"

EXPORT int qemu_plugin_version = 1;

#define CODE_BASE 0xffff808000000000u // link.lds
enum { code_size = 1 << 20, end_mark = 0x8000 };
static uint64_t now[code_size], at_start[code_size];
static FILE* out;

static void on_mark(unsigned cpu, void* data)
{
    (void)cpu;
    unsigned id = (unsigned)(uintptr_t)data;
    if (!(id & end_mark)) {
        memcpy(at_start, now, sizeof now);
        return;
    }
    fprintf(out, "bench %u\n", id & ~end_mark);
    for (unsigned i = 0; i < code_size; i++)
        if (now[i] != at_start[i])
            fprintf(out, "%" PRIx64 " %" PRIu64 "\n", CODE_BASE + i, now[i] - at_start[i]);
    fflush(out);
}

static void on_translate(qemu_plugin_id_t plugin, struct qemu_plugin_tb* block)
{
    (void)plugin;
    for (size_t i = 0, count = qemu_plugin_tb_n_insns(block); i < count; i++) {
        struct qemu_plugin_insn* insn = qemu_plugin_tb_get_insn(block, i);
        uint64_t offset = qemu_plugin_insn_vaddr(insn) - CODE_BASE;
        if (offset < code_size)
            qemu_plugin_register_vcpu_insn_exec_inline(insn, inline_add, &now[offset], 1);
        const uint8_t* bytes = qemu_plugin_insn_data(insn);
        if (is_mark(bytes, qemu_plugin_insn_size(insn)))
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
    qemu_plugin_register_vcpu_tb_trans_cb(id, on_translate);
    return 0;
}
