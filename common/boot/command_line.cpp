// The command line: words of the form name, no-name or name=value, each matched against the table of options.
#include <tenon/boot/known_options.hpp>
#include <utility>

namespace tenon {

namespace options {
constinit Dom0Memory dom0_memory;
u32 dom0_max_vcpus, dom0_min_vcpus, max_cpus;
constinit std::string_view console = "com1,vga", com1, com2;
bool noreboot, smap = true, smep = true, pcid = true, smt = true, keep_screen, console_timestamps;
LogLevel log_level = LogLevel::info, guest_log_level = LogLevel::info;
} // namespace options

namespace {

using namespace options;
using namespace command_line;

constexpr std::size_t max_length = 2048;
char line_copy[max_length]; // text options keep views of it

/// One of the targets is given, and says how the value is written; without any, people and boot scripts know the name, but it means
/// nothing here, and `expects` says why.
struct Option {
    std::string_view name;
    const char* expects;                              ///< shown when the value is malformed
    bool* flag = nullptr;                             ///< `name`, `no-name`, `name=on|off|yes|no|true|false|1|0|enable|disable`
    bool (*parser)(std::string_view value) = nullptr; ///< false: malformed. A word without `=` has a value without data()
};

bool parse_dom0_mem(std::string_view text)
{
    Dom0Memory parsed;
    do {
        std::string_view item = take(text, ',');
        Amount& amount = item.starts_with("min:") ? parsed.minimum : item.starts_with("max:") ? parsed.maximum : parsed.initial;
        if (&amount != &parsed.initial)
            item.remove_prefix(4);
        amount.is_reduction = item.starts_with('-');
        auto size = parse_size(part(item, amount.is_reduction, item.size()));
        if (!size)
            return false;
        amount.bytes = *size;
    } while (text.data());
    dom0_memory = parsed;
    return true;
}

/// N, or MIN-MAX, of which one may be left out.
bool parse_dom0_vcpus(std::string_view text)
{
    auto bound = [](std::string_view number) { return number.empty() ? Result<u64>(0) : parse_number(number); };
    const std::string_view first = take(text, '-');
    const bool is_range = text.data();
    auto low = bound(is_range ? first : text), high = is_range ? bound(text) : parse_number(first);
    if (!low || !high || *low > 0xffff || *high > 0xffff || (*high && *low > *high))
        return false;
    dom0_min_vcpus = u32(*low);
    dom0_max_vcpus = u32(*high);
    return true;
}

bool parse_max_cpus(std::string_view text)
{
    auto number = parse_number(text);
    if (!number || *number > ~u32{0})
        return false;
    max_cpus = u32(*number);
    return true;
}

bool parse_nosmp(std::string_view)
{
    max_cpus = 1;
    return true;
}

template <std::string_view& text> bool keep_text(std::string_view value)
{
    if (value.data())
        text = value;
    return value.data();
}

/// "info", or "info/all" as people write it: the second word was for rate-limited lines and means nothing here.
template <LogLevel& threshold> bool parse_level(std::string_view text)
{
    static constexpr std::pair<std::string_view, LogLevel> levels[] = {{"none", LogLevel::error},      {"error", LogLevel::error},
                                                                       {"warning", LogLevel::warning}, {"info", LogLevel::info},
                                                                       {"debug", LogLevel::debug},     {"all", LogLevel::debug}};
    const std::string_view word = take(text, '/');
    for (auto& [name, level] : levels)
        if (name == word) {
            threshold = level;
            return true;
        }
    return false;
}

/// `keep` leaves the log on the screen when dom0 runs.
bool parse_vga(std::string_view text)
{
    do {
        const std::string_view item = take(text, ',');
        if (item == "keep" || item == "current")
            keep_screen |= item == "keep";
        else
            log_info("option vga=%.*s has no meaning here: the boot loader sets the mode", int(item.size()), item.data());
    } while (text.data());
    return true;
}

constexpr const char on_off[] = "on|off", log_levels[] = "none|error|warning|info|debug|all",
                     secret_free[] = "no domain's tables map anything of another", one_scheduler[] = "there is one scheduler";
constexpr Option table[] = {
    {.name = "dom0_mem", .expects = "[min:SIZE,][max:SIZE,]SIZE, as in 1G,max:2G", .parser = parse_dom0_mem},
    {.name = "dom0_max_vcpus", .expects = "N or MIN-MAX", .parser = parse_dom0_vcpus},
    {.name = "maxcpus", .expects = "number", .parser = parse_max_cpus},
    {.name = "nosmp", .expects = "", .parser = parse_nosmp},
    {.name = "console", .expects = "text", .parser = keep_text<console>},
    {.name = "com1", .expects = "text", .parser = keep_text<com1>},
    {.name = "com2", .expects = "text", .parser = keep_text<com2>},
    {.name = "vga", .expects = "keep", .parser = parse_vga},
    {.name = "noreboot", .expects = on_off, .flag = &noreboot},
    {.name = "smap", .expects = on_off, .flag = &smap},
    {.name = "pcid", .expects = on_off, .flag = &pcid},
    {.name = "smep", .expects = on_off, .flag = &smep},
    {.name = "smt", .expects = on_off, .flag = &smt},
    {.name = "loglvl", .expects = log_levels, .parser = parse_level<log_level>},
    {.name = "guest_loglvl", .expects = log_levels, .parser = parse_level<guest_log_level>},
    {.name = "console_timestamps", .expects = on_off, .flag = &console_timestamps},
    {.name = "placeholder",
     .expects = "",
     .parser = [](auto) { return true; }}, // boot scripts put it there against loaders that drop the first word

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

const Option* find(std::string_view name)
{
    for (const Option& option : table)
        if (option.name == name)
            return &option;
    return nullptr;
}

Result<bool> parse_flag(std::string_view value)
{
    for (auto yes : {"on", "yes", "true", "1", "enable"})
        if (!value.data() || value == yes)
            return true;
    for (auto no : {"off", "no", "false", "0", "disable"})
        if (value == no)
            return false;
    return Error::inval;
}

/// False when the value is malformed; then nothing changes.
bool apply(const Option& option, std::string_view value, bool negated)
{
    if (option.flag) {
        auto on = parse_flag(value);
        if (on)
            *option.flag = *on != negated;
        return on.ok();
    }
    if (option.parser)
        return option.parser(value);
    log_info("option %.*s has no meaning here: %s", int(option.name.size()), option.name.data(), option.expects);
    return true;
}

void parse_word(std::string_view text)
{
    std::string_view value = text;
    const std::string_view name = take(value, '=');
    const Option* option = find(name);
    bool negated = !option && name.starts_with("no-");
    if (negated && (option = find(part(name, 3, name.size()))) && !option->flag)
        option = nullptr;
    if (!option)
        log_warning("unknown option: %.*s", int(text.size()), text.data());
    else if (!apply(*option, value, negated))
        log_warning("malformed option: %.*s (expected: %.*s=%s)", int(text.size()), text.data(), int(option->name.size()),
                    option->name.data(), option->expects);
}

} // namespace

u64 options::Dom0Memory::initial_frames(u64 available) const
{
    u64 wanted = min(initial.frames_of(available, available), maximum_frames(available));
    return min(max(wanted, minimum.frames_of(available, 0)), available);
}

bool options::console_names(std::string_view item)
{
    for (std::string_view list = console; list.data();)
        if (take(list, ',') == item)
            return true;
    return false;
}

namespace command_line {

std::string_view take(std::string_view& text, char separator)
{
    const std::size_t end = min(text.find(separator), text.size());
    const std::string_view first = part(text, 0, end);
    text = end < text.size() ? part(text, end + 1, text.size()) : std::string_view();
    return first;
}

Result<u64> parse_number(std::string_view text, unsigned base)
{
    u64 value = 0;
    if (text.starts_with("0x") || text.starts_with("0X")) {
        base = 16;
        text.remove_prefix(2);
    }
    if (text.empty())
        return Error::inval;
    for (char c : text) {
        char lower = char(c | 0x20);
        u64 digit = c >= '0' && c <= '9' ? u64(c - '0') : lower >= 'a' && lower <= 'f' ? u64(lower - 'a') + 10 : 99;
        if (digit >= base || __builtin_mul_overflow(value, base, &value) || __builtin_add_overflow(value, digit, &value))
            return Error::inval;
    }
    return value;
}

Result<u64> parse_size(std::string_view text)
{
    constexpr std::string_view units = "kmgt";
    auto unit = text.empty() ? units.npos : units.find(char(text.back() | 0x20));
    if (unit == units.npos)
        return parse_number(text);
    u64 shift = 10 * (unit + 1), value = TRY(parse_number(part(text, 0, text.size() - 1)));
    return value << shift >> shift == value ? Result(value << shift) : Error::inval;
}

void parse(const char* line)
{
    std::size_t n = 0;
    for (; n + 1 < max_length && line[n]; n++)
        line_copy[n] = line[n];
    line_copy[n] = 0;
    if (line[n])
        log_warning("the command line is longer than %lu characters: the rest is ignored", max_length - 1);
    for (std::size_t i = 0, start = 0; i <= n; i++)
        if (i == n || std::string_view(" \t\n\r").find(line_copy[i]) != std::string_view::npos) {
            if (start < i)
                parse_word({line_copy + start, i - start});
            start = i + 1;
        }
}

const char* text() { return line_copy; }

} // namespace command_line
} // namespace tenon
