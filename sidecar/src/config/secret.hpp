// Passwords, read from files that only their owner may read, or from systemd's credentials.
#pragma once

#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>

namespace tenancy::sidecar {

// Says what is wrong with the file and what to do; never what is in it.
class SecretError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

// This user may not open the file.
class SecretDenied : public SecretError {
public:
    explicit SecretDenied(const std::filesystem::path& file);

    // With the way that is left under systemd, whose name in the configuration is `credential_key`.
    [[nodiscard]] std::string with_credential(std::string_view credential_key) const;

private:
    std::string file_;
};

// The one line of the file, without its newline. A symbolic link is followed: what counts is the
// file that it leads to, which must be closed to everybody but its owner, and that is this user or
// root; root itself may read whose it is.
[[nodiscard]] std::string read_secret_file(const std::filesystem::path& file);

// As the file `name` in $CREDENTIALS_DIRECTORY, which systemd closes to others by itself
// (with access lists, so that the file's mode says nothing). Outside of a unit: in that of the
// running tenancyd.service.
[[nodiscard]] std::string read_credential(const std::string& name);

// That the file may be used as a private key: there, and closed as a secret file is.
void require_private(const std::filesystem::path& file);

// Where systemd has put the credential, which this user may read: for libraries that read a private
// key themselves.
[[nodiscard]] std::filesystem::path credential_file(const std::string& name);

} // namespace tenancy::sidecar
