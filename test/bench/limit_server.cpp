// What one POST and its 201 cost when nothing else is done: what the costs of a real server are compared with. One thread,
// one recv and one send a request. It reads nothing of what it receives, and takes every chunk for a whole request:
// good for one client that sends small requests one by one, and for nothing else.
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string_view>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <system_error>
#include <unistd.h>

namespace {

constexpr std::string_view answer = "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n";

int checked(int result, const char* what) {
    if (result < 0) throw std::system_error{errno, std::generic_category(), what};
    return result;
}

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

void accept_all(int poll, int listener) {
    for (;;) {
        const int client = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK);
        if (client < 0) return;
        const int on = 1;
        checked(::setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), "setsockopt");
        watch(poll, client);
    }
}

void answer_one(int client) {
    static std::array<char, std::size_t{1} << 16U> request;
    const auto received = ::recv(client, request.data(), request.size(), 0);
    if (received > 0)
        ::send(client, answer.data(), answer.size(), MSG_NOSIGNAL);
    else if (received == 0 || errno != EAGAIN)
        ::close(client);
}

} // namespace

// Prints its port, and serves until it is killed.
int main() try {
    const int listener = listening_socket();
    const int poll = checked(::epoll_create1(0), "epoll_create1");
    watch(poll, listener);
    std::array<epoll_event, 256> ready{};
    for (;;) {
        const int count = ::epoll_wait(poll, ready.data(), static_cast<int>(ready.size()), -1);
        for (int i = 0; i < count; ++i) {
            const int socket = ready[static_cast<std::size_t>(i)].data.fd;
            if (socket == listener)
                accept_all(poll, listener);
            else
                answer_one(socket);
        }
    }
} catch (const std::exception& why) {

    std::fprintf(stderr, "limit_server: %s\n", why.what());
    return 1;
}
