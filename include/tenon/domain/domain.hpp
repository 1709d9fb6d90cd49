// A domain: its vCPUs, memory, event channels, grants. Found by id, kept by DomainRef, destroyed in resumable steps.
#pragma once
#include <abi/shared_info.h>
#include <tenon/domain/vcpu.hpp>
#include <tenon/event/channels.hpp>
#include <tenon/grant/table.hpp>
#include <tenon/irq/pirq.hpp>
#include <tenon/mm/frame_table.hpp>
#include <tenon/sched/fair.hpp>
#include <tenon/sync/spinlock.hpp>

namespace tenon {

/// dying: being destroyed; dead: nothing left but frames that others still map.
enum class Life : u8 { alive, dying, dead };

struct Domain : Pinned {
    explicit Domain(DomainId i) : id(i) {}
    DomainId id;
    bool is_privileged = false; ///< control domain
    std::atomic<Life> life{Life::alive};
    std::atomic<u32> refs{1};    ///< one is held until it is destroyed and owns no frame
    Domain* next_dead = nullptr; ///< waiting to be freed
    u8 handle[16]{};
    u32 flags = 0; ///< XEN_DOMCTL_CDF_*

    u32 max_vcpus = 0;
    Vcpu** vcpus = nullptr;

    SpinLock<Rank::domain_build> lock; ///< pause counts, shutdown state, vCPU creation
    u32 pause_count = 0;               ///< by tools, shutdown and destruction
    u32 tool_pauses = 0;
    bool is_shut_down = false;
    u32 shutdown_code = ~0u;
    std::atomic<u8> destroy_stage{0};
    std::atomic<bool> destroy_busy{false};

    SpinLock<Rank::domain_pages> pages_lock;
    FrameList page_list;
    FrameList kept_list; ///< dying: frames that were given back while others still used them
    u64 total_pages = 0, max_pages = 0;
    u32 admitting = 0; ///< calls that add pages right now
    u64 holdings = 1;  ///< frames it owns, communication pages too; plus one until it is destroyed

    CommPage shared; ///< shared_info
    shared_info* shared_page() const { return shared.as<shared_info>(); }
    EventChannels events;
    GrantTable grants;
    PirqTable pirqs;
    u64 vm_assist = 0;
    s64 wallclock_offset = 0; ///< seconds
    u16 weight = 256, cap = 0;
    CapPool cap_pool; ///< what the cap leaves to its vCPUs
    u32 ssidref = 0;
    ArchDomain arch;

    Vcpu* vcpu(u32 i) const { return i < max_vcpus ? vcpus[i] : nullptr; }
    bool is_dying() const { return life.load(std::memory_order_acquire) != Life::alive; }
    template <class F> void for_each_vcpu(F&& f)
    {
        for (u32 i = 0; i < max_vcpus; i++)
            if (vcpus[i])
                f(*vcpus[i]);
    }
};

/// A counted reference; empty when the domain does not exist. The last one frees the domain: dropped without locks held.
class DomainRef {
public:
    DomainRef() = default;
    explicit DomainRef(Domain* domain) : domain_(domain) {} ///< adopts a reference
    DomainRef(DomainRef&& o) : domain_(std::exchange(o.domain_, nullptr)) {}
    DomainRef& operator=(DomainRef&& o)
    {
        std::swap(domain_, o.domain_);
        return *this;
    }
    ~DomainRef()
    {
        if (domain_)
            drop(*domain_);
    }
    explicit operator bool() const { return domain_ != nullptr; }
    Domain* operator->() const { return domain_; }
    Domain& operator*() const { return *domain_; }

private:
    static void drop(Domain& domain);
    Domain* domain_ = nullptr;
};

namespace domains {
/// The domain with this id, in any state of life. Not with a lock held.
DomainRef find(DomainId id);
/// dom_self means the caller's own domain.
DomainRef find_for(const Vcpu& caller, DomainId id);
/// The domain with the lowest id at or above `first`.
DomainRef next(u32 first);
/// One more reference of a domain that somebody holds already. With any lock held.
DomainRef again(Domain& domain);
/// The owner of a frame that is in use, which keeps its domain; nullptr for frames of no ordinary domain. With any lock held.
Domain* owner_of(const Frame& frame);
Domain* dom0();

struct CreateParams {
    DomainId id; ///< dom_invalid: choose
    u32 max_vcpus = 1, max_event_port = 4095, grant_frames = 64, maptrack_frames = 1024;
    u32 flags = 0;
    u8 handle[16]{};
    bool is_privileged = false;
};
/// The new domain is paused by the tools and has no vCPUs yet.
Result<DomainRef> create(const CreateParams& params);
Status create_vcpus(Domain& domain);

/// One more or one less reason of the tools' (domctl pause/unpause, builder). Pausing waits until no vCPU is on a CPU.
void pause_by_tools(Domain& domain);
Status unpause_by_tools(Domain& domain);
/// The same for the hypervisor's own needs; pairs. Not for the caller's own domain.
void pause(Domain& domain);
void unpause(Domain& domain);
/// All vCPUs stop; dom0's shutdown acts on the machine.
void shut_down(Domain& domain, u32 reason);
/// A domain that was shut down (suspended) runs on.
Status resume(Domain& domain);
/// Starts or continues destruction; Error::restart: call again.
Status destroy(Domain& domain);

/// Memory of a domain. A frame enters with refs == 1 held by the allocation itself ("owned"), and leaves by give_back.
/// 2^order new ones next to each other; Error::nomem also when max_pages is reached.
Result<Mfn> add_pages(Domain& domain, unsigned order = 0, unsigned address_bits = 64);
/// `waived`: the caller takes as many away again at once.
enum class Limit : u8 { holds, waived };
/// Frames already allocated in the domain's name; all or none are added.
Status add_block(Domain& domain, Mfn first, unsigned order, Limit limit = Limit::holds);
/// Drops the allocation's reference if it is still held; false when it was not.
bool give_back(Domain& domain, Mfn mfn);
/// Walks a domain's frames: the one after `after` (nullptr: the first), with a reference that keeps it in the list; that of
/// `after` is dropped. nullptr at the end. May be interleaved with anything.
Frame* next_page(Domain& domain, Frame* after);
/// A page shared with the hypervisor; owned by the domain, but not counted in its memory.
CommPage add_comm_page(Domain& domain);

/// Writes into the log what every domain holds, and where the machine's memory is. Exact while nothing changes.
void log_holdings();

/// Frees what nobody refers to any more; find() does that, too. Not with a lock held.
void reap();
} // namespace domains

} // namespace tenon
