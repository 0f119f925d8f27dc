// The command line: its grammar, its help, and how what goes wrong is told.
#include <iostream>

#include <CLI/CLI.hpp>

#include "base/failure.hpp"
#include "base/log.hpp"
#include "base/printable.hpp"
#include "base/version.hpp"
#include "command/commands.hpp"
#include "command/next_step.hpp"
#include "config/config.hpp"
#include "config/nearest.hpp"
#include "lint/manifest.hpp"
#include "postgres/connection.hpp"
#include "reconcile/adopt.hpp"
#include "reconcile/lifecycle.hpp"
#include "reconcile/state_file.hpp"

namespace tenancy::sidecar {
namespace {

// All that the options may set; a command reads its own part.
struct Line {
    ConfigFile file = default_config_file;
    CheckOptions check;
    ProtectOptions protect;
    AdoptOptions adopt;
    ForgetOptions forget;
    LintOptions lint;
    bool status_json = false;
    std::function<Exit()> chosen;
    std::string kind = "sidecar"; // of the operator whom the command needs; empty: none
    std::string login = "[postgres] conninfo";

    void by_login(const std::string& needed) {
        kind = needed;
        login = "--conninfo";
    }
};

CLI::App* add_command(CLI::App& app, const std::string& name, const std::string& help) {
    CLI::App* command = app.add_subcommand(name, help);
    command->failure_message(CLI::FailureMessage::simple);
    return command;
}

void add_config(CLI::App* command, Line& line) {
    command->add_option("-c,--config", line.file, "the configuration file")->capture_default_str();
}

void add_login(CLI::App* command, Login& login, const std::string& otherwise = "PGHOST, ...") {
    command->add_option("--conninfo", login.conninfo,
                        "libpq connection string without password (default: " + otherwise + ")");
    command->add_option("--service", login.service, "entry of pg_service.conf");
}

void add_run(CLI::App& app, Line& line) {
    auto* command = add_command(app, "run", "Keep the stores in step, until SIGTERM.");
    add_config(command, line);
    command->callback([&line] { line.chosen = [&line] { return run_daemon(line.file); }; });
}

void add_check(CLI::App& app, Line& line) {
    auto* command = add_command(
        app, "check", "Look at every node, store and the backup; changes nothing in PostgreSQL.");
    add_config(command, line);
    command->add_option("--backup", line.check.backup,
                        "connection string of the role that takes backups");
    command->add_flag("--dump", line.check.dump,
                      "have that role really dump the database, to /dev/null");
    command->add_flag("--json", line.check.json, "print JSON");
    command->callback([&line] {
        line.check.file = line.file;
        line.chosen = [&line] { return check(line.check); };
    });
}

void add_protect(CLI::App& app, Line& line) {
    auto* command = add_command(app, "protect",
                                "Protect a live table step by step, as the table's owner; run it "
                                "again to go on after an interruption.");
    ProtectOptions& options = line.protect;
    command->add_option("relation", options.relation, "the table, as schema.name")->required();
    command->add_option("--tenant-column", options.tenant_column, "the column with the tenant")
        ->capture_default_str();
    command->add_option("--via", options.via, "foreign key column of a child without that column");
    command->add_option("--harden-keys", options.harden_keys, "what becomes of keys")
        ->check(CLI::IsMember({"references", "keys", "off"}))
        ->capture_default_str();
    command->add_flag("--fill-null", options.fill_null, "fill an explicit NULL from the context");
    command->add_option("--owner", options.owner, "role that gets the table");
    command->add_option("--existing-policies", options.existing_policies, "policies already there")
        ->check(CLI::IsMember({"refuse", "keep", "replace"}))
        ->capture_default_str();
    command->add_flag("--dry-run", options.dry_run, "print the steps only");
    command->add_option("--attempts", options.attempts, "failures in a row to bear")
        ->check(CLI::Range(1, 100000))
        ->capture_default_str();
    add_login(command, options.login);
    command->callback([&line] {
        line.by_login("");
        line.chosen = [&line] { return protect(line.protect); };
    });
}

void add_adopt(CLI::App& app, Line& line) {
    auto* command =
        add_command(app, "adopt", "Let tenancyd write again where it only observes; asks first.");
    add_config(command, line);
    command->add_option("--as", line.adopt.role, "member, replacement or clone")
        ->required()
        ->check(CLI::IsMember({"member", "replacement", "clone"}));
    command->add_option("--store", line.adopt.store, "stamp this store only");
    command->add_flag("-y,--yes", line.adopt.yes, "do not ask");
    add_login(command, line.adopt.login,
              "the configuration's; replacement and clone need an admin");
    command->callback([&line] {
        line.adopt.file = line.file;
        line.kind = line.adopt.role == "member" ? "sidecar" : "admin";
        line.login = line.adopt.login.given() ? "--conninfo" : line.login;
        line.chosen = [&line] { return adopt_command(line.adopt); };
    });
}

void add_status(CLI::App& app, Line& line) {
    auto* command = add_command(app, "status", "Show stores, daemons and alarms.");
    add_config(command, line);
    command->add_flag("--json", line.status_json, "print JSON");
    command->callback(
        [&line] { line.chosen = [&line] { return status(line.file, line.status_json); }; });
}

void add_forget_store(CLI::App& app, Line& line) {
    auto* command = add_command(app, "forget-store",
                                "Give up a store that is gone for good, as an admin; audited.");
    command->add_option("store", line.forget.store, "the store's name")->required();
    command->add_option("--reason", line.forget.reason, "kept in the audit trail")->required();
    command->add_flag("-y,--yes", line.forget.yes, "do not ask");
    add_login(command, line.forget.login);
    command->callback([&line] {
        line.by_login("admin");
        line.chosen = [&line] { return forget_store(line.forget); };
    });
}

void add_lint(CLI::App& app, Line& line) {
    auto* command = add_command(app, "lint",
                                "Find what lets one tenant see or change another's rows; changes "
                                "nothing. Works without the extension, too.");
    LintOptions& options = line.lint;
    command->add_option("--format", options.format, "text, json or sarif")
        ->check(CLI::IsMember({"text", "json", "sarif"}))
        ->capture_default_str();
    command->add_option("--fail-on", options.fail_on, "what makes the exit status 1")
        ->check(CLI::IsMember({"error", "warning", "info", "never"}))
        ->capture_default_str();
    command->add_flag("--all", options.all, "as text: infos as well, and every object of a rule");
    command->add_option("--expect", options.expect, "the manifest that the database is to match");
    command->add_option("--write-manifest", options.write_manifest, "write the manifest");
    command
        ->add_option("--tenant-column", options.tenant_columns,
                     "without the extension: column that says whose a row is; may be repeated")
        ->allow_extra_args(false)
        ->capture_default_str();
    command
        ->add_option("--set-aside", options.set_aside,
                     "without the extension: schema.table that is not for tenants; may be repeated")
        ->allow_extra_args(false);
    add_login(command, options.login);
    command->callback([&line] {
        line.by_login("auditor");
        line.chosen = [&line] { return lint_command(line.lint); };
    });
}

void add_small(CLI::App& app, Line& line) {
    auto* shown = add_command(app, "version", "Print the version.");
    shown->callback([&line] {
        line.chosen = [] {
            std::cout << "tenancyd " << version << '\n';
            return Exit::done;
        };
    });
    auto* states = add_command(app, "lifecycle", "Print states and transitions as JSON.");
    states->group(""); // for tests
    states->callback([&line] {
        line.chosen = [] {
            std::cout << print_lifecycle();
            return Exit::done;
        };
    });
}

// Those that the help shows.
std::vector<std::string> commands_of(const CLI::App& app) {
    std::vector<std::string> names;
    for (const CLI::App* command :
         app.get_subcommands([](const CLI::App* one) { return !one->get_group().empty(); })) {
        names.push_back(command->get_name());
    }
    return names;
}

std::string no_such_command(const CLI::App& app, const std::string& word) {
    std::string known;
    for (const std::string& name : commands_of(app)) {
        known += (known.empty() ? "" : ", ") + name;
    }
    const auto meant = nearest(word, commands_of(app));
    return "tenancyd: there is no command " + printable(word) +
           (meant ? "; did you mean " + *meant + "?" : "") + "\nhint: The commands are " + known +
           ". See tenancyd --help.\n";
}

int parse(CLI::App& app, int argc, const char* const* argv) {
    try {
        app.parse(argc, argv);
    } catch (const CLI::ExtrasError& error) {
        const auto words = app.remaining();
        if (app.get_subcommands().empty() && !words.empty() && !words.front().starts_with('-')) {
            std::cerr << no_such_command(app, words.front());
            return static_cast<int>(Exit::usage);
        }
        return app.exit(error) == 0 ? -1 : static_cast<int>(Exit::usage);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? -1 : static_cast<int>(Exit::usage);
    }
    if (app.get_subcommands().empty()) {
        std::cerr << app.help();
        return static_cast<int>(Exit::usage);
    }
    return 0;
}

int told(Exit exit, std::string_view what, std::string_view detail = "",
         std::string_view hint = "") {
    std::cerr << "tenancyd: " << redact(what) << '\n';
    if (!detail.empty()) {
        std::cerr << "detail: " << redact(detail) << '\n';
    }
    if (!hint.empty()) {
        std::cerr << "hint: " << redact(hint) << '\n';
    }
    return static_cast<int>(exit);
}

int perform(const Line& line) {
    try {
        return static_cast<int>(line.chosen());
    } catch (const UsageError& error) {
        return told(Exit::usage, error.what());
    } catch (const ConfigError& error) {
        return told(Exit::usage, error.what());
    } catch (const lint::ManifestError& error) {
        return told(Exit::usage, error.what());
    } catch (const SqlError& error) {
        return told(Exit::failed, std::string(error.what()) + " (" + error.sqlstate() + ")",
                    error.detail(), step_for_sql(error, line.kind));
    } catch (const Unavailable& error) {
        return told(Exit::failed, error.what(), "", step_for_login(error, line.login));
    } catch (const AdoptError& error) {
        return told(Exit::failed, error.what(), "", error.hint());
    } catch (const StateFileError& error) {
        return told(Exit::failed, error.what(), "",
                    "See whose the file is and what is in it. If it is damaged, remove it, then: "
                    "tenancyd adopt --as member.");
    } catch (const std::exception& error) {
        return told(Exit::failed, error.what());
    }
}

} // namespace

int command_line(int argc, const char* const* argv) {
    CLI::App app("Keeps MongoDB and Redis in step with the tenants of a PostgreSQL database.",
                 "tenancyd");
    Line line;
    app.require_subcommand(0, 1); // 1 would call a mistyped command a missing one
    app.failure_message(CLI::FailureMessage::simple);
    app.set_version_flag("--version", "tenancyd " + std::string(version));
    app.footer("Exit status: 0 done; 1 something was found or failed; 2 the command line or the "
               "configuration cannot be used. See tenancyd(8).");
    add_run(app, line);
    add_check(app, line);
    add_protect(app, line);
    add_adopt(app, line);
    add_status(app, line);
    add_forget_store(app, line);
    add_lint(app, line);
    add_small(app, line);
    const int parsed = parse(app, argc, argv);
    if (parsed != 0) {
        return std::max(parsed, 0);
    }
    return perform(line);
}

} // namespace tenancy::sidecar
