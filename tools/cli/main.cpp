// tenon: the command line. Thin: what it is asked, it asks the daemon; see tenon(1) for the exit codes.
#include "commands.hpp"
#include <tools/lib/error.hpp>

#include <CLI/CLI.hpp>
#include <memory>

namespace {

using namespace tenon::tools;

constexpr const char* exit_codes = "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 no such domain.";

void add_commands(CLI::App& app, const std::string& socket)
{
    auto create_options = std::make_shared<CreateOptions>();
    auto command = app.add_subcommand("create", "Start a guest from a configuration file");
    command->add_option("CONFIG", create_options->file, "The configuration file, see tenon.cfg(5)")->required();
    command->add_flag("-c,--console", create_options->console, "Attach to its console");
    command->add_flag("-p,--paused", create_options->paused, "Leave it paused");
    command->add_flag("-q,--quiet", create_options->quiet, "Print nothing if all goes well");
    command->callback([=, &socket] { create(socket, *create_options); });

    auto list_options = std::make_shared<ListOptions>();
    command = app.add_subcommand("list", "Show the domains");
    command->add_option("DOMAIN", list_options->domain, "Only this one (name or number)");
    command->add_flag("--json", list_options->json, "As JSON, for programs");
    command->footer(std::string("State: r running, b blocked (waits for something), p paused, s shut down, c crashed, d dying.\n") +
                    exit_codes);
    command->callback([=, &socket] { list(socket, *list_options); });

    auto info_json = std::make_shared<bool>(false);
    command = app.add_subcommand("info", "Show what the machine and the hypervisor are");
    command->add_flag("--json", *info_json, "As JSON, for programs");
    command->callback([=] { show_info(*info_json); });

    auto clear = std::make_shared<bool>(false);
    auto keys = std::make_shared<std::string>();
    command = app.add_subcommand("dmesg", "Show the hypervisor's log");
    command->add_flag("-c,--clear", *clear, "Clear it afterwards");
    command->add_option("-k,--keys", *keys, "Press these debug keys first; h writes the list of them");
    command->callback([=] { show_log(*keys, *clear); });
}

using Run = std::function<void(const DomainOptions&)>;

/// A command on one domain; `wait_help` if it can wait.
void add_domain_command(CLI::App& app, const char* name, const char* help, const char* wait_help, Run run)
{
    auto options = std::make_shared<DomainOptions>();
    auto command = app.add_subcommand(name, help);
    command->add_option("DOMAIN", options->domain, "Name or number of the guest")->required();
    if (wait_help)
        command->add_flag("-w,--wait", options->wait, wait_help);
    command->callback([=] { run(*options); });
}

void add_domain_commands(CLI::App& app, const std::string& socket)
{
    auto order = [&socket](const char* what) {
        return [&socket, what](const DomainOptions& options) { give_order(socket, what, options); };
    };
    add_domain_command(app, "console", "Attach to a guest's console (Ctrl-] leaves it)", nullptr,
                       [&socket](const DomainOptions& options) { console(socket, options); });
    add_domain_command(app, "shutdown", "Ask a guest to power off", "Wait until it has", order("poweroff"));
    add_domain_command(app, "reboot", "Ask a guest to reboot", "Wait until it has started again", order("reboot"));
    add_domain_command(app, "pause", "Stop the CPUs of a guest", nullptr, order("pause"));
    add_domain_command(app, "unpause", "Let a paused guest go on", nullptr, order("unpause"));
    add_domain_command(app, "destroy", "End a guest at once, as if by pulling the plug", nullptr, order("destroy"));
}

void add_schedule_command(CLI::App& app, const std::string& socket)
{
    auto options = std::make_shared<ScheduleOptions>();
    auto command = app.add_subcommand("sched", "Show or set a domain's share of the CPUs");
    command->add_option("DOMAIN", options->domain, "Name or number of the domain")->required();
    command->add_option("--weight", options->weight, "Its share beside others', 1 to 65535; 256 unless set")->check(CLI::Range(1, 65535));
    command->add_option("--cap", options->cap, "Percent of one CPU that it may use at most; 0: no limit")->check(CLI::Range(0, 12800));
    command->add_flag("--json", options->json, "As JSON, for programs");
    command->callback([=, &socket] { schedule(socket, *options); });
}

/// What the parser says of a wrong command line; it does not name an unknown command by itself.
int explain(const CLI::App& app, const CLI::ParseError& error, int argc, char** argv)
{
    bool no_command = dynamic_cast<const CLI::RequiredError*>(&error) && app.get_subcommands().empty();
    if (no_command && argc > 1 && argv[1][0] != '-') {
        fmt::print(stderr, "tenon: '{}' is no command; tenon --help shows them\n", argv[1]);
        return static_cast<int>(ExitCode::usage);
    }
    if (no_command) {
        fmt::print(stderr, "tenon: which command? tenon --help shows them\n");
        return static_cast<int>(ExitCode::usage);
    }
    if (error.get_exit_code() != 0)
        fmt::print(stderr, "tenon: ");
    return app.exit(error) == 0 ? 0 : static_cast<int>(ExitCode::usage);
}

} // namespace

int main(int argc, char** argv)
{
    std::string socket = "/run/tenon/tenond.sock";
    CLI::App app("Guests on the Tenon hypervisor");
    app.name("tenon");
    app.add_option("--socket", socket, "The daemon's socket")->capture_default_str();
    app.require_subcommand(1);
    app.failure_message(CLI::FailureMessage::simple);
    app.footer(exit_codes); // every command takes it over
    add_commands(app, socket);
    add_domain_commands(app, socket);
    add_schedule_command(app, socket);
    app.footer(std::string("tenon COMMAND --help shows a command's options; man 1 tenon tells all.\n") + exit_codes);
    try {
        app.parse(argc, argv);
        return 0;
    } catch (const CLI::ParseError& error) {
        return explain(app, error, argc, argv);
    } catch (const Error& error) {
        fmt::print(stderr, "tenon: {}\n", error.what());
        return static_cast<int>(error.code());
    } catch (const std::exception& error) {
        fmt::print(stderr, "tenon: {}\n", error.what());
        return static_cast<int>(ExitCode::failed);
    }
}
