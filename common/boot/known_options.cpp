// The table of options, and those values that are more than a number or a text.
#include <tenon/boot/known_options.hpp>
#include <tenon/boot/option.hpp>
#include <tenon/log.hpp>
#include <utility>

namespace tenon {

namespace options {

constinit Dom0Memory dom0_memory;
u32 dom0_max_vcpus, dom0_min_vcpus, max_cpus;
constinit std::string_view console = "com1,vga", com1, com2;
bool noreboot, smap = true, smep = true, pcid = true, smt = true, keep_screen, console_timestamps;
LogLevel log_level = LogLevel::info, guest_log_level = LogLevel::info;

namespace {

using command_line::part;

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

bool parse_dom0_mem(std::string_view text)
{
    Dom0Memory parsed;
    bool ok = for_each_item(text, [&](std::string_view item) {
        Amount& amount = item.starts_with("min:") ? parsed.minimum : item.starts_with("max:") ? parsed.maximum : parsed.initial;
        if (&amount != &parsed.initial)
            item.remove_prefix(4);
        amount.is_reduction = item.starts_with('-');
        auto size = command_line::parse_size(part(item, amount.is_reduction, item.size()));
        amount.bytes = size.value_or(0);
        return size.ok();
    });
    if (ok)
        dom0_memory = parsed;
    return ok;
}

bool parse_dom0_vcpus(std::string_view text)
{
    auto bound = [](std::string_view number) { return number.empty() ? Result<u64>(0) : command_line::parse_number(number); };
    auto dash = text.find('-');
    bool is_range = dash != text.npos;
    auto low = bound(part(text, 0, is_range ? dash : 0));
    auto high = is_range ? bound(part(text, dash + 1, text.size())) : command_line::parse_number(text);
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

/// "info", or "info/all" as people write it: the second word was for rate-limited lines and means nothing here.
template <LogLevel& threshold> bool parse_level(std::string_view text)
{
    static constexpr std::pair<std::string_view, LogLevel> levels[] = {{"none", LogLevel::error},      {"error", LogLevel::error},
                                                                       {"warning", LogLevel::warning}, {"info", LogLevel::info},
                                                                       {"debug", LogLevel::debug},     {"all", LogLevel::debug}};
    for (auto& [name, level] : levels)
        if (name == part(text, 0, min(text.find('/'), text.size()))) {
            threshold = level;
            return true;
        }
    return false;
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

constexpr const char on_off[] = "on|off", log_levels[] = "none|error|warning|info|debug|all",
                     secret_free[] = "no domain's tables map anything of another", one_scheduler[] = "there is one scheduler";
constexpr Option table[] = {
    {.name = "dom0_mem", .expects = "[min:SIZE,][max:SIZE,]SIZE, as in 1G,max:2G", .parser = parse_dom0_mem},
    {.name = "dom0_max_vcpus", .expects = "N or MIN-MAX", .parser = parse_dom0_vcpus},
    {.name = "maxcpus", .expects = "number", .number = &max_cpus},
    {.name = "nosmp", .expects = "", .parser = parse_nosmp},
    {.name = "console", .expects = "text", .text = &console},
    {.name = "com1", .expects = "text", .text = &com1},
    {.name = "com2", .expects = "text", .text = &com2},
    {.name = "vga", .expects = "keep", .parser = parse_vga},
    {.name = "noreboot", .expects = on_off, .flag = &noreboot},
    {.name = "smap", .expects = on_off, .flag = &smap},
    {.name = "pcid", .expects = on_off, .flag = &pcid},
    {.name = "smep", .expects = on_off, .flag = &smep},
    {.name = "smt", .expects = on_off, .flag = &smt},
    {.name = "loglvl", .expects = log_levels, .parser = parse_level<log_level>},
    {.name = "guest_loglvl", .expects = log_levels, .parser = parse_level<guest_log_level>},
    {.name = "console_timestamps", .expects = on_off, .flag = &console_timestamps},
    {.name = "placeholder", .expects = "", .parser = ignore}, // boot scripts put it there against loaders that drop the first word

    {"sync_console", "every line is written before Tenon goes on"},
    {"xpti", secret_free},
    {"pti", secret_free},
    {"pv-l1tf", secret_free},
    {"spec-ctrl", secret_free},
    {"ucode", "microcode is loaded by firmware or dom0"},
    {"sched", one_scheduler},
    {"tickle_one_idle_cpu", one_scheduler},
    {"dom0", "dom0 is always a PV guest"},
    {"iommu", "devices are not passed through yet"},
    {"cpufreq", "dom0 and firmware manage frequencies"},
    {"watchdog", "there is no watchdog"},
    {"dom0_nodes", "memory is one node"},
    {"dom0_vcpus_pin", "use the affinity of each vCPU"},
    {"bootscrub", "memory is cleared when it changes hands"},
    {"gnttab_max_frames", "each domain has its own limit"},
    {"console_to_ring", "the ring always has everything"},
    {"conring_size", "the ring has a fixed size"},
};

} // namespace

u64 Dom0Memory::initial_frames(u64 available) const
{
    u64 wanted = min(initial.frames_of(available, available), maximum_frames(available));
    return min(max(wanted, minimum.frames_of(available, 0)), available);
}

bool console_names(std::string_view item)
{
    return !for_each_item(console, [&](std::string_view i) { return i != item; });
}

} // namespace options

const std::span<const Option> known_options = options::table;

} // namespace tenon
