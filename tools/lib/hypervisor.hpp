// Hypervisor: the calls that the dom0 programs make, through the kernel's privcmd driver. Each throws an
// Error that names the call and the domain. Layouts come from include/abi; nothing of them shows here.
#pragma once

#include "error.hpp"
#include "ids.hpp"

#include <array>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

struct xencall_handle;
struct vcpu_guest_context;

namespace tenon::tools {

enum class ShutdownReason : unsigned { poweroff, reboot, suspend, crash, watchdog, soft_reset };

struct DomainInfo {
    DomainId id;
    bool dying, shutdown, paused, blocked, running;
    ShutdownReason reason; ///< meaningful if `shutdown`
    std::uint64_t pages, max_pages;
    Mfn shared_info;
    std::uint64_t cpu_time_ns;
    unsigned online_vcpus;
};

/// Who has twice the weight runs twice as long where both want to. The cap is in percent of one CPU; 0: none.
struct CpuShare {
    std::uint16_t weight = 256, cap = 0;
};

struct MachineInfo {
    unsigned cpus, cpu_khz, nodes;
    std::uint64_t total_pages, free_pages, scrub_pages;
    unsigned capabilities;
};

struct VersionInfo {
    unsigned major, minor;
    std::string extra, compiler, compile_date, capabilities, command_line, changeset;
};

using Uuid = std::array<std::uint8_t, 16>;

/// Memory that a hypercall may read and write: pinned by the kernel for that purpose.
class HypercallBuffer {
public:
    HypercallBuffer(xencall_handle* handle, std::size_t size);
    HypercallBuffer(const HypercallBuffer&) = delete;
    ~HypercallBuffer();

    std::uint64_t address() const { return reinterpret_cast<std::uint64_t>(memory_); }
    template <class T> T* as() const { return static_cast<T*>(memory_); }

private:
    xencall_handle* handle_;
    void* memory_;
};

class Hypervisor {
public:
    Hypervisor();
    ~Hypervisor();

    // The machine.
    VersionInfo version();
    MachineInfo machine();
    std::vector<DomainInfo> domains();
    std::optional<DomainInfo> domain(DomainId id);
    /// The hypervisor's log.
    std::string console_log(bool clear);
    void press_keys(const std::string& keys);

    // A domain's life.
    DomainId create_domain(const Uuid& uuid, unsigned max_vcpus);
    void set_max_vcpus(DomainId id, unsigned vcpus);
    void set_max_memory(DomainId id, std::uint64_t kib);
    CpuShare cpu_share(DomainId id);
    void set_cpu_share(DomainId id, CpuShare share);
    void pause(DomainId id);
    void unpause(DomainId id);
    /// One step of the destruction; false if there is more to do.
    bool destroy_step(DomainId id);

    // What a builder needs.
    /// Gives memory to the domain; returns the machine frame of each of its frames 0, 1, 2...
    std::vector<Mfn> populate(DomainId id, std::uint64_t pages);
    void set_memory_map(DomainId id, std::uint64_t bytes);
    EventPort allocate_port(DomainId owner, DomainId remote);
    void fill_hypercall_page(DomainId id, Mfn frame);
    void pin_top_table(DomainId id, Mfn frame);
    void set_vcpu_context(DomainId id, unsigned vcpu, const vcpu_guest_context& context);

private:
    struct Domctl;
    Domctl domctl(std::uint32_t command, DomainId id);
    long populate_some(DomainId id, std::span<Mfn> extents, unsigned order);

    xencall_handle* handle_;
};

} // namespace tenon::tools
