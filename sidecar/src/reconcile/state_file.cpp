#include "reconcile/state_file.hpp"

#include <cerrno>
#include <fstream>
#include <iterator>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

namespace tenancy::sidecar {
namespace {

[[noreturn]] void fail(const std::filesystem::path& file, const std::string& what) {
    throw StateFileError(file.string() + ": " + what);
}

[[noreturn]] void fail_with_errno(const std::filesystem::path& file, const std::string& what) {
    fail(file, what + ": " + std::generic_category().message(errno));
}

class Descriptor {
public:
    Descriptor(const std::filesystem::path& file, int flags)
        : file_(file), fd_(open(file.c_str(), flags | O_CLOEXEC, 0600)) {
        if (fd_ < 0) {
            fail_with_errno(file_, "cannot be opened");
        }
    }
    ~Descriptor() { close(fd_); }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;

    void write_all(const std::string& text) const {
        for (std::size_t done = 0; done < text.size();) {
            const auto written = write(fd_, text.data() + done, text.size() - done);
            if (written < 0 && errno != EINTR) {
                fail_with_errno(file_, "cannot be written");
            }
            done += written < 0 ? 0 : static_cast<std::size_t>(written);
        }
    }

    // An operator's `adopt` as root leaves it to the user that the daemon runs as.
    void give_to_owner_of(const std::filesystem::path& directory) const {
        struct stat status{};
        if (geteuid() == 0 && (stat(directory.c_str(), &status) != 0 ||
                               fchown(fd_, status.st_uid, status.st_gid) != 0)) {
            fail_with_errno(file_, "cannot be given to the owner of its directory");
        }
    }

    void sync() const {
        if (fsync(fd_) != 0) {
            fail_with_errno(file_, "cannot be written to disk");
        }
    }

private:
    std::filesystem::path file_;
    int fd_;
};

nlohmann::ordered_json to_json(const StateFile& state) {
    return {{"format", 1},
            {"binding", state.binding},
            {"id", print_uuid(state.id)},
            {"epoch", state.epoch},
            {"system_identifier", state.system_identifier},
            {"database_oid", state.database_oid},
            {"timeline", state.timeline}};
}

StateFile from_json(const nlohmann::json& json) {
    if (json.at("format") != 1) {
        throw std::invalid_argument("written by another version of tenancyd");
    }
    StateFile state;
    const auto id = parse_uuid(json.at("id").get<std::string>());
    if (!id) {
        throw std::invalid_argument("id is not a uuid");
    }
    state.id = *id;
    json.at("binding").get_to(state.binding);
    json.at("epoch").get_to(state.epoch);
    json.at("system_identifier").get_to(state.system_identifier);
    json.at("database_oid").get_to(state.database_oid);
    json.at("timeline").get_to(state.timeline);
    return state;
}

} // namespace

std::optional<StateFile> read_state_file(const std::filesystem::path& directory) {
    const auto file = directory / "instance.json";
    std::error_code error;
    if (!std::filesystem::exists(file, error) && !error) {
        return std::nullopt;
    }
    std::ifstream stream(file);
    const std::string text{std::istreambuf_iterator<char>(stream), {}};
    if (!stream.good() && !stream.eof()) {
        fail(file, "cannot be read");
    }
    try {
        return from_json(nlohmann::json::parse(text));
    } catch (const std::exception& problem) {
        fail(file, std::string("makes no sense: ") + problem.what());
    }
}

// The new file has a name of this process's own, so that the daemon and an operator's adopt do not
// write to the same one, and it is made, never opened: root must not follow a link that the
// directory's owner has put there.
void write_state_file(const std::filesystem::path& directory, const StateFile& state) {
    const auto file = directory / "instance.json";
    const auto fresh = directory / ("instance.json." + std::to_string(getpid()));
    std::error_code ignored;
    std::filesystem::remove(fresh, ignored); // of an earlier process of that number
    {
        const Descriptor descriptor(fresh, O_WRONLY | O_CREAT | O_EXCL);
        descriptor.give_to_owner_of(directory);
        descriptor.write_all(to_json(state).dump(2) + "\n");
        descriptor.sync();
    }
    if (rename(fresh.c_str(), file.c_str()) != 0) {
        fail_with_errno(file, "cannot be replaced");
    }
    Descriptor(directory, O_RDONLY | O_DIRECTORY).sync();
}

} // namespace tenancy::sidecar
