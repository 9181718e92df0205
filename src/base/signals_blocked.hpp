// Signals are the main thread's business: another thread that handled one would have a system call of its own
// interrupted.
#pragma once

#include <csignal>

namespace trackd::base {

/// While it lives, no signal is handled on the thread that made it; threads that are made meanwhile begin so, and stay so.
class all_signals_blocked {
public:
    all_signals_blocked() noexcept {
        sigset_t all;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before_);
    }

    ~all_signals_blocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

    all_signals_blocked(const all_signals_blocked&) = delete;
    all_signals_blocked& operator=(const all_signals_blocked&) = delete;

private:
    sigset_t before_{};
};

} // namespace trackd::base
