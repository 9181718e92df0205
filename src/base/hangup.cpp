#include "base/hangup.hpp"

#include <csignal>

namespace trackd::base {

namespace {

bool was_blocked = false; // used by the main thread alone

sigset_t only_hangup() noexcept {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGHUP);
    return set;
}

} // namespace

void hold_hangup() noexcept {
    const auto hangup = only_hangup();
    sigset_t before;
    sigemptyset(&before);
    pthread_sigmask(SIG_BLOCK, &hangup, &before);
    was_blocked = sigismember(&before, SIGHUP) == 1;
}

void release_hangup() noexcept {
    if (was_blocked) return;
    const auto hangup = only_hangup();
    pthread_sigmask(SIG_UNBLOCK, &hangup, nullptr);
}

} // namespace trackd::base
