// What POSTs and their 201s cost when nothing else is done: what the costs of a real server are compared with. One
// thread, or as many as its argument says, one epoll each, one recv and one send for all that has come at once. It looks
// for the end of each head and its Content-Length, and for nothing else: good for clients that send what it expects, and
// only on this machine.
#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string>
#include <string_view>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <system_error>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

namespace {

constexpr std::string_view answer = "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n";
constexpr std::string_view end_of_head = "\r\n\r\n";
constexpr std::string_view length_field = "\r\nContent-Length: ";

int checked(int result, const char* what) {
    if (result < 0) throw std::system_error{errno, std::generic_category(), what};
    return result;
}

// Where a client is in its requests.
struct client_state {
    std::size_t body_left = 0;
    std::string head; // as much as has come of one that was cut
};

// Any free port of 127.0.0.1.
int listening_socket() {
    const int listener = checked(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), "socket");
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t bytes = sizeof address;
    auto* any = reinterpret_cast<sockaddr*>(&address);
    checked(::bind(listener, any, bytes), "bind");
    checked(::listen(listener, SOMAXCONN), "listen");
    checked(::getsockname(listener, any, &bytes), "getsockname");
    std::printf("%d\n", ntohs(address.sin_port));
    std::fflush(stdout);
    return listener;
}

void watch(int poll, int socket) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = socket;
    checked(::epoll_ctl(poll, EPOLL_CTL_ADD, socket, &event), "epoll_ctl");
}

using descriptors = std::vector<int>;

// Deals them out.
void accept_all(const descriptors& polls, int listener, std::vector<client_state>& clients) {
    for (;;) {
        const int client = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK);
        if (client < 0) return;
        const int on = 1;
        checked(::setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), "setsockopt");
        const auto index = static_cast<std::size_t>(client);
        clients.at(index) = {};
        watch(polls[index % polls.size()], client);
    }
}

std::size_t body_bytes(std::string_view head) {
    const auto at = head.find(length_field);
    std::size_t length = 0;
    if (at != head.npos)
        std::from_chars(head.data() + at + length_field.size(), head.data() + head.size(), length);
    return length;
}

// How many requests end within these bytes.
std::size_t requests_in(std::string_view bytes, client_state& state) {
    std::size_t count = 0;
    std::string joined;
    if (!state.head.empty()) {
        joined = std::exchange(state.head, {}).append(bytes);
        bytes = joined;
    }
    while (!bytes.empty()) {
        if (state.body_left == 0) {
            const auto end = bytes.find(end_of_head);
            if (end == bytes.npos) {
                state.head = bytes;
                break;
            }
            state.body_left = body_bytes(bytes.substr(0, end));
            bytes.remove_prefix(end + end_of_head.size());
        }
        const auto taken = std::min(state.body_left, bytes.size());
        bytes.remove_prefix(taken);
        state.body_left -= taken;
        if (state.body_left == 0) ++count;
    }
    return count;
}

void serve(int client, client_state& state) {
    thread_local std::array<char, std::size_t{1} << 18U> request;
    thread_local std::string answers{answer};
    const auto received = ::recv(client, request.data(), request.size(), 0);
    if (received > 0) {
        const auto count = requests_in({request.data(), static_cast<std::size_t>(received)}, state);
        while (answers.size() < count * answer.size())
            answers += answer;
        if (count > 0) ::send(client, answers.data(), count * answer.size(), MSG_NOSIGNAL);
    } else if (received == 0 || errno != EAGAIN) {
        ::close(client);
    }
}

void serve_all(int poll, const descriptors& polls, int listener, std::vector<client_state>& clients) {
    std::array<epoll_event, 256> ready{};
    for (;;) {
        const int count = ::epoll_wait(poll, ready.data(), static_cast<int>(ready.size()), -1);
        for (int i = 0; i < count; ++i) {
            const int socket = ready[static_cast<std::size_t>(i)].data.fd;
            if (socket == listener)
                accept_all(polls, listener, clients);
            else
                serve(socket, clients[static_cast<std::size_t>(socket)]);
        }
    }
}

} // namespace

// Prints its port, and serves until it is killed.
int main(int argc, char** argv) try {
    const int listener = listening_socket();
    descriptors polls(argc > 1 ? std::max(1UL, std::strtoul(argv[1], nullptr, 10)) : 1);
    for (auto& poll : polls)
        poll = checked(::epoll_create1(0), "epoll_create1");
    watch(polls.front(), listener);
    std::vector<client_state> clients(std::size_t{1} << 15U); // by their descriptors
    std::vector<std::jthread> others;
    for (std::size_t i = 1; i < polls.size(); ++i)
        others.emplace_back([&, i] { serve_all(polls[i], polls, listener, clients); });
    serve_all(polls.front(), polls, listener, clients);
} catch (const std::exception& why) {

    std::fprintf(stderr, "floor_server: %s\n", why.what());
    return 1;
}
