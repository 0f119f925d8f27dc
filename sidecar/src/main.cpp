// tenancyd, the daemon beside the extension.
#include "command/commands.hpp"

int main(int argc, char** argv) {
    return tenancy::sidecar::command_line(argc, argv);
}
