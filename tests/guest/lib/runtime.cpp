// What this is: guest_main(), the C++ entry: finds boot_info, maps the shared page, installs the trap table
// and runs test().
#include "runtime.hpp"

#include "check.hpp"
#include "hypercall.hpp"
#include "paging.hpp"
#include "smp.hpp"
#include "trap.hpp"

namespace guest {

start_info* boot_info;
shared_info* shared;
u64* phys_to_machine;
vcpu_info* vcpu0;

[[noreturn]] void verdict();

namespace {
alignas(page_size) char shared_info_window[page_size];
}

void shut_down(u32 reason)
{
    sched_shutdown arg{reason};
    sched_op(SCHEDOP_shutdown, &arg);
    for (;;)
        sched_op(SCHEDOP_block);
}

bool on_tenon()
{
    char text[16] = {};
    xen_version(XENVER_extraversion, text);
    for (int i = 0; i < 11; i++)
        if ((text[i] | 0x20) == 't' && strncmp(text + i + 1, "enon", 4) == 0)
            return true;
    return false;
}

const char* argument(const char* name)
{
    static char value[64];
    size_t length = strlen(name);
    const char* text = reinterpret_cast<const char*>(boot_info->cmd_line);
    for (bool at_word = true; *text; at_word = *text == ' ', text++) {
        if (!at_word || strncmp(text, name, length) != 0 || text[length] != '=')
            continue;
        size_t i = 0;
        for (text += length + 1; *text && *text != ' ' && i < sizeof value - 1; text++)
            value[i++] = *text;
        value[i] = 0;
        return value;
    }
    return nullptr;
}

} // namespace guest

extern "C" [[noreturn]] void guest_main(start_info* info)
{
    using namespace guest;
    boot_info = info;
    phys_to_machine = reinterpret_cast<u64*>(info->mfn_list);
    shared = reinterpret_cast<shared_info*>(shared_info_window);
    if (long rc = update_va_mapping(number(shared_info_window), info->shared_info | pte_rw))
        give_up("cannot map shared_info: %ld", rc);
    vcpu0 = vcpu_infos[0] = &shared->vcpu_info[0];
    install_traps();
    test();
    verdict();
}

extern "C" {

void* memcpy(void* to, const void* from, size_t size)
{
    void* start = to;
    asm volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size)::"memory");
    return start;
}
void* memset(void* to, int byte, size_t size)
{
    void* start = to;
    asm volatile("rep stosb" : "+D"(to), "+c"(size) : "a"(byte) : "memory");
    return start;
}
int memcmp(const void* a, const void* b, size_t size)
{
    auto left = static_cast<const unsigned char*>(a), right = static_cast<const unsigned char*>(b);
    for (size_t i = 0; i < size; i++)
        if (left[i] != right[i])
            return left[i] - right[i];
    return 0;
}
size_t strlen(const char* text)
{
    size_t length = 0;
    while (text[length])
        length++;
    return length;
}
int strncmp(const char* a, const char* b, size_t size)
{
    for (; size; a++, b++, size--)
        if (*a != *b || !*a)
            return static_cast<unsigned char>(*a) - static_cast<unsigned char>(*b);
    return 0;
}
int strcmp(const char* a, const char* b) { return strncmp(a, b, ~size_t{0}); }
}
