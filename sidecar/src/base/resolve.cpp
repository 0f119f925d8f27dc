#include "base/resolve.hpp"

#include <condition_variable>
#include <cstring>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include <arpa/inet.h>
#include <netdb.h>

#include "base/failure.hpp"

namespace tenancy::sidecar {
namespace {

struct Answer {
    int error = 0;
    std::vector<SocketAddress> addresses;
};

Answer look_up(const std::string& host, const std::string& port, int flags) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = flags | AI_NUMERICSERV;
    addrinfo* list = nullptr;
    Answer answer;
    answer.error = getaddrinfo(host.c_str(), port.c_str(), &hints, &list);
    const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owned(
        list, [](addrinfo* each) { each != nullptr ? freeaddrinfo(each) : void(); });
    for (const addrinfo* each = list; answer.error == 0 && each != nullptr; each = each->ai_next) {
        SocketAddress found;
        std::memcpy(&found.storage, each->ai_addr, each->ai_addrlen);
        found.size = each->ai_addrlen;
        answer.addresses.push_back(found);
    }
    return answer;
}

// What the thread that asks shares with the one that may stop waiting before it has an answer.
struct Question {
    std::mutex mutex;
    std::condition_variable changed;
    bool done = false;
    Answer answer;
};

// A resolver that does not answer keeps a thread, not the caller.
Answer look_up_within(const std::string& host, const std::string& port, Deadline deadline) {
    auto question = std::make_shared<Question>();
    std::thread([question, host, port] {
        Answer answer = look_up(host, port, AI_ADDRCONFIG);
        const std::lock_guard lock(question->mutex);
        question->answer = std::move(answer);
        question->done = true;
        question->changed.notify_all();
    }).detach();
    std::unique_lock lock(question->mutex);
    if (!question->changed.wait_for(lock, deadline.left(), [&] { return question->done; })) {
        throw Unavailable("TimedOut", "the name " + host + " was not resolved in time");
    }
    return question->answer;
}

} // namespace

bool is_numeric(const std::string& host) {
    in6_addr space{};
    return inet_pton(AF_INET, host.c_str(), &space) == 1 ||
           inet_pton(AF_INET6, host.c_str(), &space) == 1;
}

std::vector<SocketAddress> resolve(const std::string& host, std::uint16_t port, Deadline deadline) {
    const std::string service = std::to_string(port);
    Answer answer = is_numeric(host) ? look_up(host, service, AI_NUMERICHOST)
                                     : look_up_within(host, service, deadline);
    if (answer.error != 0 || answer.addresses.empty()) {
        throw Unavailable("NameNotResolved",
                          "the name " + host + " cannot be resolved: " +
                              (answer.error != 0 ? gai_strerror(answer.error) : "no address"));
    }
    return std::move(answer.addresses);
}

} // namespace tenancy::sidecar
