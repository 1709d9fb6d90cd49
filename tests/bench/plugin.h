// The part of QEMU's plugin interface that the plugins here need: Debian ships no header for it [QEMU
// docs/devel/tcg-plugins]. And what a mark in the guest looks like.
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))

typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
struct qemu_info_t;
enum qemu_plugin_cb_flags { no_registers };
enum qemu_plugin_op { inline_add };

void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id, void (*translate)(qemu_plugin_id_t, struct qemu_plugin_tb*));
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb* block);
struct qemu_plugin_insn* qemu_plugin_tb_get_insn(const struct qemu_plugin_tb* block, size_t index);
const void* qemu_plugin_insn_data(const struct qemu_plugin_insn* insn);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn* insn);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn* insn);
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb* block, void (*call)(unsigned cpu, void* data),
                                          enum qemu_plugin_cb_flags flags, void* data);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn* insn, void (*call)(unsigned cpu, void* data),
                                            enum qemu_plugin_cb_flags flags, void* data);
void qemu_plugin_register_vcpu_insn_exec_inline(struct qemu_plugin_insn* insn, enum qemu_plugin_op op, void* counter, uint64_t value);

static inline int is_mark(const uint8_t* bytes, size_t size)
{
    return size == 8 && memcmp(bytes, "\x0f\x1f\x84\x00", 4) == 0 && bytes[6] == 0xe7 && bytes[7] == 0x7e;
}

static inline void* mark_id(const uint8_t* bytes) { return (void*)(uintptr_t)(bytes[4] | bytes[5] << 8); }
