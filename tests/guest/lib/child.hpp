// What this is: a second domain, built and run by the micro-guest as dom0: sixteen pages, one vCPU, and a
// loop that makes whatever hypercall its parent writes into a shared page. So a test can act as two domains
// at once.
#pragma once

#include <abi/domctl.h>
#include <abi/sysctl.h>

#include "abi.hpp"
#include "hypercall.hpp"

namespace guest {

long domctl(xen_domctl& op, u32 command, u16 domain);
long sysctl(xen_sysctl& op, u32 command);
u64 free_pages();

/// Maps a frame of another domain; 0 or an error. `bits` as in a page-table entry, 0 unmaps.
long map_foreign(u16 domain, u64 mfn, u64 va, u64 bits);

/// What is the same for every domain that is built from here.
class BuiltDomain {
public:
    u16 id = 0;

    long start(); ///< unpause
    long pause();
    xen_domctl_getdomaininfo info(long* rc = nullptr);

protected:
    /// vCPU 0: in kernel mode, events unmasked, its kernel stack the one it begins on.
    long set_context(u64 rip, u64 rdi, u64 rsi, u64 stack_top, u64 l4_mfn);
    long destroy_within(int tries); ///< to the end; 0 or an error
};

class Child : public BuiltDomain {
public:
    static constexpr u32 pages = 16;
    static constexpr u64 base = 0x10000; ///< where it sees its page 0
    enum Page : u32 { code, data, stack, l4, l3, l2, l1, first_free };
    static constexpr u32 slot_shared_info = 20, slot_empty = 24; ///< L1 entries beyond its pages

    u64 frames[pages] = {};
    u64 shared_info_mfn = 0;
    u32 event_port = 0;    ///< its end of a channel to us; ours is bound by the test
    u64* window = nullptr; ///< its data page in our address space
    u64 window_va = 0;

    long create();  ///< domain, vCPU, memory
    long build();   ///< contents, page tables, context
    long destroy(); ///< to the end; 0 or an error
    u64 va(u32 page) const { return base + page * page_size; }
    u64 entry_maddr(u32 slot) const { return frames[l1] << page_shift | slot * 8; }

    bool wait_ready(); ///< until it runs its loop
    /// The hypercall, made by the child.
    template <class A = long, class B = long, class C = long, class D = long, class E = long>
    long call(long nr, A a = {}, B b = {}, C c = {}, D d = {}, E e = {})
    {
        return call5(nr, as_long(a), as_long(b), as_long(c), as_long(d), as_long(e));
    }
    /// `in` of one byte, by the child.
    long read_port(u16 port);
    /// Room for call arguments in its data page: ours to write, and the address the child passes.
    template <class T> T* argument(u32 at = 0) { return reinterpret_cast<T*>(reinterpret_cast<char*>(window) + 1024 + at); }
    u64 argument_va(u32 at = 0) const { return va(data) + 1024 + at; }
    void crash(); ///< makes it execute ud2 without a handler

private:
    long ask(u64 what);
    long call5(long nr, long a, long b, long c, long d, long e);
};

} // namespace guest
