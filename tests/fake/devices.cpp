// Interrupt lines and PCI functions of the host machine.
#include <fake/devices.hpp>
#include <tenon/arch/guest.hpp>
#include <tenon/device/acpi.hpp>
#include <tenon/device/ioapic.hpp>

namespace tenon {
namespace fake {
namespace {

constexpr unsigned first = 0x30, count = 0xb0;
FakeLine lines[count];
struct FakeFunction {
    pci::Function f;
    unsigned messages, entries;
    u64 table;
};
std::vector<FakeFunction> functions;
std::vector<pci::Function> disabled;

FakeLine* at(Vector v) { return v.raw() >= first && v.raw() - first < count ? &lines[v.raw() - first] : nullptr; }
const FakeFunction* function(pci::Function f)
{
    for (auto& x : functions)
        if (x.f == f)
            return &x;
    return nullptr;
}

} // namespace

void reset_devices()
{
    for (auto& l : lines)
        l = {};
    functions.clear();
    disabled.clear();
}
void add_function(pci::Function f, unsigned messages, unsigned entries, u64 table) { functions.push_back({f, messages, entries, table}); }
FakeLine& line(Vector v) { return *at(v); }
unsigned line_count()
{
    unsigned n = 0;
    for (auto& l : lines)
        n += l.kind != FakeLine::free;
    return n;
}
u32 raise(Vector v)
{
    FakeLine& l = line(v);
    if (!l.open || l.in_service || l.domain == dom_invalid)
        return 0;
    l.in_service = l.level;
    return l.port;
}
const std::vector<pci::Function>& disabled_functions() { return disabled; }

} // namespace fake

using fake::FakeLine;

namespace irq {

Status claim_gsi(u32, void (*)()) { return Error::nodev; }
Result<Vector> line_for_gsi(u32 gsi)
{
    if (gsi >= 24)
        return Error::inval;
    FakeLine& l = fake::lines[gsi];
    if (l.kind == FakeLine::free) {
        l = {};
        l.kind = FakeLine::gsi;
        l.gsi_number = gsi;
        l.level = l.low = gsi >= 16;
    }
    return Vector{u8(fake::first + gsi)};
}
Status configure_gsi(u32 gsi, bool level, bool low)
{
    FakeLine& l = fake::line(TRY(line_for_gsi(gsi)));
    l.level = level;
    l.low = low;
    return success;
}
bool msi_in_use(const pci::MsiTarget& t)
{
    for (auto& l : fake::lines)
        if (l.kind == FakeLine::msi && l.target.function == t.function && l.target.is_msix == t.is_msix && l.target.index == t.index)
            return true;
    return false;
}
Result<Vector> lines_for_msi(const pci::MsiTarget& target, unsigned count)
{
    if (msi_in_use(target))
        return Error::exist;
    for (unsigned i = 32; i + count <= fake::count; i++) {
        bool free = true;
        for (unsigned j = 0; j < count; j++)
            free &= fake::lines[i + j].kind == FakeLine::free;
        if (!free)
            continue;
        for (unsigned j = 0; j < count; j++) {
            fake::lines[i + j] = {};
            fake::lines[i + j].kind = FakeLine::msi;
            fake::lines[i + j].target = target;
        }
        return Vector{u8(fake::first + i)};
    }
    return Error::nospc;
}
void release(Vector v)
{
    FakeLine* l = fake::at(v);
    if (!l || l->kind != FakeLine::msi)
        return;
    fake::disabled.push_back(l->target.function);
    *l = {};
}
Status restore_msi(pci::Function) { return success; }
Status attach(Vector v, DomainId domain, u32 port)
{
    FakeLine* l = fake::at(v);
    if (!l || l->kind == FakeLine::free)
        return Error::inval;
    if (l->domain != dom_invalid)
        return Error::busy;
    l->domain = domain;
    l->port = port;
    l->open = true;
    return success;
}
void detach(Vector v)
{
    FakeLine& l = fake::line(v);
    l.domain = dom_invalid;
    l.port = 0;
    l.open = l.in_service = false;
}
void finish(Vector v) { fake::line(v).in_service = false; }
bool needs_finish(Vector v) { return fake::line(v).kind == FakeLine::gsi && fake::line(v).level; }
void set_target_cpu(Vector, CpuId) {}

} // namespace irq

namespace pci {

Result<MsiTarget> find_msi(Function f, unsigned messages)
{
    const auto* x = fake::function(f);
    if (!x)
        return Error::nodev;
    if (messages > x->messages)
        return Error::inval;
    return MsiTarget{f, 0x50};
}
Result<MsiTarget> find_msix(Function f, u32 entry, u64 table_base)
{
    const auto* x = fake::function(f);
    if (!x)
        return Error::nodev;
    if (entry >= x->entries || table_base != x->table)
        return Error::inval;
    MsiTarget t{f, 0x60, true};
    t.index = entry;
    return t;
}

} // namespace pci

const acpi::Machine& acpi::machine()
{
    static Machine none;
    return none;
}
Result<u32> ioapic::read_register(u64, u32) { return Error::inval; }
Status arch::set_iopl(Vcpu&, u32 level) { return level > 3 ? Status(Error::inval) : Status(success); }
Status arch::set_io_bitmap(Vcpu&, u64, u32 ports) { return ports > 0x10000 ? Status(Error::inval) : Status(success); }

} // namespace tenon
