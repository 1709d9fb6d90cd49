// tenon: the command line. Thin: what it is asked, it asks the daemon; see tenon(1) for the exit codes.
#include "commands.hpp"
#include <tools/lib/error.hpp>

#include <CLI/CLI.hpp>

int main(int argc, char** argv)
{
    using namespace tenon::tools;
    GlobalOptions global;
    CLI::App app("Guests on the Tenon hypervisor");
    app.name("tenon");
    app.add_option("--socket", global.socket, "The daemon's socket")->capture_default_str();
    app.require_subcommand(1);
    app.failure_message(CLI::FailureMessage::simple);
    app.footer("Exit codes: 0 done, 1 failed, 2 wrong usage, 3 no such domain.");
    add_create(app, global);
    add_list(app, global);
    add_console(app, global);
    add_lifecycle(app, global);
    add_dmesg(app);
    add_info(app);
    try {
        app.parse(argc, argv);
        return 0;
    } catch (const CLI::RequiredError& error) {
        if (argc > 1 && argv[1][0] != '-' && app.get_subcommands().empty()) // CLI11 does not name the word
            fmt::print(stderr, "tenon: '{}' is no command; tenon --help shows them\n", argv[1]);
        else
            app.exit(error);
        return static_cast<int>(ExitCode::usage);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : static_cast<int>(ExitCode::usage);
    } catch (const Error& error) {
        fmt::print(stderr, "tenon: {}\n", error.what());
        return static_cast<int>(error.code());
    } catch (const std::exception& error) {
        fmt::print(stderr, "tenon: {}\n", error.what());
        return static_cast<int>(ExitCode::failed);
    }
}
