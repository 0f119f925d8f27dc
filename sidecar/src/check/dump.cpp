#include "check/dump.hpp"

#include <array>
#include <chrono>
#include <cerrno>
#include <cstdlib>
#include <iostream>
#include <stdexcept>
#include <system_error>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace tenancy::sidecar {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int progress_pause = 5000; // milliseconds
constexpr std::size_t longest_message = 2000;

[[noreturn]] void fail(const char* what, int error) {
    throw std::runtime_error(std::string(what) + ": " + std::generic_category().message(error));
}

class Descriptor {
public:
    explicit Descriptor(int number) : number_(number) {}
    ~Descriptor() { close_now(); }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;

    [[nodiscard]] int number() const { return number_; }
    void close_now() {
        if (number_ >= 0) {
            close(number_);
        }
        number_ = -1;
    }

private:
    int number_;
};

std::string escaped(const std::string& password) {
    std::string text;
    for (const char c : password) {
        text += c == ':' || c == '\\' ? std::string{'\\', c} : std::string{c};
    }
    return text;
}

// libpq reads it as a passfile, by its number; it wants it closed to others.
int password_memory(const std::string& password) {
    const int number = memfd_create("passfile", 0);
    const std::string line = "*:*:*:*:" + escaped(password) + '\n';
    if (number < 0 || fchmod(number, S_IRUSR | S_IWUSR) != 0 ||
        write(number, line.data(), line.size()) != static_cast<ssize_t>(line.size())) {
        fail("cannot hand the password to pg_dump", errno);
    }
    return number;
}

// Without a password of the configuration libpq finds one as it does in this process.
std::vector<std::string> child_environment(const Descriptor& passfile) {
    const bool given = passfile.number() >= 0;
    std::vector<std::string> variables;
    for (char** variable = environ; *variable != nullptr; ++variable) {
        if (!given || !std::string_view(*variable).starts_with("PGPASS")) {
            variables.emplace_back(*variable);
        }
    }
    if (given) {
        variables.push_back("PGPASSFILE=/proc/self/fd/" + std::to_string(passfile.number()));
    }
    return variables;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> list;
    list.reserve(texts.size() + 1);
    for (std::string& text : texts) {
        list.push_back(text.data());
    }
    list.push_back(nullptr);
    return list;
}

pid_t spawn(const std::string& conninfo, const Descriptor& passfile, int errors) {
    std::vector<std::string> arguments{
        "pg_dump",   "--format=custom",  "--compress=0",        "--no-password",
        "--no-sync", "--file=/dev/null", "--dbname=" + conninfo};
    std::vector<std::string> variables = child_environment(passfile);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, errors, STDERR_FILENO);
    pid_t child = 0;
    const int error = posix_spawnp(&child, "pg_dump", &actions, nullptr, pointers(arguments).data(),
                                   pointers(variables).data());
    posix_spawn_file_actions_destroy(&actions);
    if (error != 0) {
        fail("cannot run pg_dump", error);
    }
    return child;
}

// What the child says until it ends; says how long it takes meanwhile.
std::string listen_to(int errors, Clock::time_point start) {
    std::string said;
    std::array<char, 4096> buffer{};
    for (;;) {
        pollfd polled{errors, POLLIN, 0};
        if (poll(&polled, 1, progress_pause) == 0) {
            const auto seconds =
                std::chrono::duration_cast<std::chrono::seconds>(Clock::now() - start);
            std::cerr << "pg_dump: " << seconds.count() << " s\n";
            continue;
        }
        const ssize_t got = read(errors, buffer.data(), buffer.size());
        if (got == 0 || (got < 0 && errno != EINTR)) {
            return said;
        }
        said.append(buffer.data(), static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
        if (said.size() > longest_message) {
            said.erase(0, said.size() - longest_message);
        }
    }
}

} // namespace

DumpResult run_dump(const std::string& conninfo, const std::string& password) {
    const auto start = Clock::now();
    const Descriptor passfile(password.empty() ? -1 : password_memory(password));
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0) {
        fail("cannot make a pipe", errno);
    }
    const Descriptor output(ends[0]);
    Descriptor input(ends[1]);
    const pid_t child = spawn(conninfo, passfile, input.number());
    input.close_now();
    DumpResult result;
    result.message = listen_to(output.number(), start);
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    result.whole = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    result.seconds = std::chrono::duration<double>(Clock::now() - start).count();
    return result;
}

} // namespace tenancy::sidecar
