#include "config/secret.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tenancy::sidecar {
namespace {

constexpr std::size_t longest = 4096;
constexpr const char* service_credentials = "/run/credentials/tenancyd.service";

class Descriptor {
public:
    // Without waiting: a FIFO in the file's place is not to hold tenancyd up.
    explicit Descriptor(const std::filesystem::path& file)
        : number_(open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)) {
        if (number_ < 0 && errno == EACCES) {
            throw SecretDenied(file);
        }
        if (number_ < 0) {
            throw SecretError("cannot read " + file.string() + ": " +
                              std::generic_category().message(errno));
        }
    }
    ~Descriptor() { close(number_); }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;

    [[nodiscard]] int number() const { return number_; }

private:
    int number_;
};

struct stat status_of(const Descriptor& file, const std::filesystem::path& path) {
    struct stat status{};
    if (fstat(file.number(), &status) != 0 || !S_ISREG(status.st_mode)) {
        throw SecretError(path.string() + " is not a regular file");
    }
    return status;
}

void require_closed(const struct stat& status, const std::filesystem::path& path) {
    if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        throw SecretError(path.string() + " is open to group or others; chmod 0600 it");
    }
    // Root runs commands with the files of the daemon's user.
    if (geteuid() != 0 && status.st_uid != geteuid() && status.st_uid != 0) {
        throw SecretError(path.string() + " belongs to another user; chown it to the one that "
                                          "tenancyd runs as, or to root");
    }
}

std::string contents(const Descriptor& file, const std::filesystem::path& path) {
    std::array<char, longest + 2> buffer{};
    std::size_t size = 0;
    ssize_t got = 1;
    while (got > 0 && size < buffer.size()) {
        got = read(file.number(), buffer.data() + size, buffer.size() - size);
        size += got > 0 ? static_cast<std::size_t>(got) : 0;
    }
    if (got < 0) {
        throw SecretError("cannot read " + path.string() + ": " +
                          std::generic_category().message(errno));
    }
    std::string text(buffer.data(), size);
    explicit_bzero(buffer.data(), buffer.size());
    return text;
}

std::string one_line(std::string text, const std::filesystem::path& path) {
    if (text.ends_with('\n')) {
        text.pop_back();
    }
    if (text.empty()) {
        throw SecretError(path.string() + " is empty; write the password into it");
    }
    if (text.size() > longest) {
        throw SecretError(path.string() + " has more than 4096 bytes; it should hold one password");
    }
    if (std::any_of(text.begin(), text.end(), [](unsigned char c) { return c < ' '; })) {
        throw SecretError(path.string() +
                          " has a control character or a second line; it should hold one password");
    }
    return text;
}

// systemd's, or what systemd has given to the service that runs, which root may read: for check,
// status and adopt by hand.
std::filesystem::path credentials_directory(const std::string& name) {
    if (const char* given = std::getenv("CREDENTIALS_DIRECTORY")) {
        return given;
    }
    std::error_code error;
    if (std::filesystem::is_directory(service_credentials, error)) {
        return service_credentials;
    }
    throw SecretError("there is no $CREDENTIALS_DIRECTORY, and tenancyd.service does not run; "
                      "start tenancyd by systemd with LoadCredential=" +
                      name + ":FILE, or name a file in its place");
}

} // namespace

SecretDenied::SecretDenied(const std::filesystem::path& file)
    : SecretError("cannot read " + file.string() + ": " + std::generic_category().message(EACCES)),
      file_(file.string()) {}

std::string SecretDenied::with_credential(std::string_view credential_key) const {
    return std::string(what()) +
           "; give it to the user that tenancyd runs as, or, under systemd, "
           "write LoadCredential=NAME:" +
           file_ + " in the unit (systemctl edit tenancyd) and " + std::string(credential_key) +
           " = \"NAME\" here in its place";
}

std::string read_secret_file(const std::filesystem::path& file) {
    const Descriptor opened(file);
    require_closed(status_of(opened, file), file);
    return one_line(contents(opened, file), file);
}

std::filesystem::path credential_file(const std::string& name) {
    if (name.empty() || name.starts_with('.') || name.find('/') != std::string::npos) {
        throw SecretError("a credential's name is a file name without a directory");
    }
    std::filesystem::path file = credentials_directory(name) / name;
    const Descriptor opened(file);
    status_of(opened, file);
    return file;
}

std::string read_credential(const std::string& name) {
    const std::filesystem::path file = credential_file(name);
    const Descriptor opened(file);
    status_of(opened, file);
    return one_line(contents(opened, file), file);
}

void require_private(const std::filesystem::path& file) {
    const Descriptor opened(file);
    require_closed(status_of(opened, file), file);
}

} // namespace tenancy::sidecar
