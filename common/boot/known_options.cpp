// Options that belong to the boot as a whole, and those that are accepted because boot scripts carry them.
#include <tenon/boot/known_options.hpp>
#include <tenon/boot/option.hpp>
#include <tenon/log.hpp>

namespace tenon::options {

constinit Dom0Memory dom0_memory;
u32 dom0_max_vcpus, dom0_min_vcpus, max_cpus;
constinit std::string_view console = "com1,vga", com1, com2;
bool noreboot, smap = true, smep = true, smt = true, keep_screen;

namespace {

constexpr std::string_view part(std::string_view s, std::size_t from, std::size_t to) { return {s.data() + from, to - from}; }

/// Calls f for each item of a comma-separated list until it says false.
template <class F> bool for_each_item(std::string_view list, F&& f)
{
    for (std::size_t start = 0; start <= list.size();) {
        std::size_t end = min(list.find(',', start), list.size());
        if (!f(part(list, start, end)))
            return false;
        start = end + 1;
    }
    return true;
}

bool parse_amount(std::string_view text, Amount& amount)
{
    bool reduction = text.starts_with('-');
    auto size = command_line::parse_size(part(text, reduction ? 1 : 0, text.size()));
    if (!size)
        return false;
    amount = {*size, reduction};
    return true;
}

bool parse_dom0_mem(std::string_view text)
{
    Dom0Memory parsed;
    bool ok = for_each_item(text, [&](std::string_view item) {
        if (item.starts_with("min:"))
            return parse_amount(part(item, 4, item.size()), parsed.minimum);
        if (item.starts_with("max:"))
            return parse_amount(part(item, 4, item.size()), parsed.maximum);
        return parse_amount(item, parsed.initial);
    });
    if (ok)
        dom0_memory = parsed;
    return ok;
}

bool parse_dom0_vcpus(std::string_view text)
{
    auto dash = text.find('-');
    bool is_range = dash != text.npos;
    auto low = is_range && dash > 0 ? command_line::parse_number(part(text, 0, dash)) : Result<u64>(0);
    auto high = !is_range                ? command_line::parse_number(text)
                : dash + 1 < text.size() ? command_line::parse_number(part(text, dash + 1, text.size()))
                                         : Result<u64>(0);
    if (!low || !high || *low > 0xffff || *high > 0xffff || (*high && *low > *high))
        return false;
    dom0_min_vcpus = u32(*low);
    dom0_max_vcpus = u32(*high);
    return true;
}

bool parse_nosmp(std::string_view)
{
    max_cpus = 1;
    return true;
}

/// `keep` leaves the log on the screen when dom0 runs.
bool parse_vga(std::string_view text)
{
    return for_each_item(text, [](std::string_view item) {
        if (item == "keep" || item == "current")
            keep_screen |= item == "keep";
        else
            log_info("option vga=%.*s has no meaning here: the boot loader sets the mode", int(item.size()), item.data());
        return true;
    });
}

bool ignore(std::string_view) { return true; }

TENON_OPTION("dom0_mem", parse_dom0_mem, "[min:SIZE,][max:SIZE,]SIZE, as in 1G,max:2G");
TENON_OPTION("dom0_max_vcpus", parse_dom0_vcpus, "N or MIN-MAX");
TENON_OPTION("maxcpus", &max_cpus);
TENON_OPTION("nosmp", parse_nosmp, "");
TENON_OPTION("console", &console);
TENON_OPTION("com1", &com1);
TENON_OPTION("com2", &com2);
TENON_OPTION("vga", parse_vga, "keep");
TENON_OPTION("noreboot", &noreboot);
TENON_OPTION("smap", &smap);
TENON_OPTION("smep", &smep);
TENON_OPTION("smt", &smt);
TENON_OPTION("placeholder", ignore, ""); // boot scripts put it there against loaders that drop the first word

#define MEANINGLESS(name, why) TENON_OPTION(Option::meaningless(name, why))
constexpr const char secret_free[] = "Tenon has one page table for a guest and itself";
MEANINGLESS("xpti", secret_free);
MEANINGLESS("pti", secret_free);
MEANINGLESS("pv-l1tf", secret_free);
MEANINGLESS("spec-ctrl", secret_free);
MEANINGLESS("sync_console", "every line is written before Tenon goes on");
MEANINGLESS("ucode", "microcode is loaded by firmware or dom0");
MEANINGLESS("sched", "there is one scheduler");
MEANINGLESS("tickle_one_idle_cpu", "there is one scheduler");
MEANINGLESS("dom0", "dom0 is always a PV guest");
MEANINGLESS("iommu", "devices are not passed through yet");
MEANINGLESS("cpufreq", "dom0 and firmware manage frequencies");
MEANINGLESS("watchdog", "there is no watchdog");
MEANINGLESS("dom0_nodes", "memory is one node");
MEANINGLESS("dom0_vcpus_pin", "use the affinity of each vCPU");
MEANINGLESS("bootscrub", "memory is cleared when it changes hands");
MEANINGLESS("gnttab_max_frames", "each domain has its own limit");
MEANINGLESS("console_to_ring", "the ring always has everything");
MEANINGLESS("conring_size", "the ring has a fixed size");

} // namespace

u64 Dom0Memory::initial_frames(u64 available) const
{
    u64 wanted = initial.given() ? initial.frames_of(available) : available;
    if (maximum.given())
        wanted = min(wanted, maximum.frames_of(available));
    if (minimum.given())
        wanted = max(wanted, minimum.frames_of(available));
    return min(wanted, available);
}

u64 Dom0Memory::maximum_frames(u64 available) const { return maximum.given() ? maximum.frames_of(available) : ~u64{0}; }

bool console_names(std::string_view item)
{
    return !for_each_item(console, [&](std::string_view i) { return i != item; });
}

} // namespace tenon::options
