// Measures work a row, in wall-clock and processor time, and prints medians.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <sys/resource.h>
#include <vector>

namespace trackd::bench {

inline double processor_seconds() {
    double sum = 0;
    for (const int who : {RUSAGE_SELF, RUSAGE_CHILDREN}) {
        rusage used{};
        ::getrusage(who, &used);
        for (const auto& time : {used.ru_utime, used.ru_stime}) {
            sum += static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
        }
    }
    return sum;
}

struct figures {
    std::vector<double> wall;
    std::vector<double> processor;
};

template <typename Work>
void measure(figures& into, std::size_t rows, Work work) {
    const auto began = std::chrono::steady_clock::now();
    const auto used = processor_seconds();
    work();
    const std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - began;
    into.wall.push_back(took.count() / static_cast<double>(rows));
    into.processor.push_back((processor_seconds() - used) * 1e6 / static_cast<double>(rows));
}

// Measures it once, and prints microseconds a row of wall-clock and of processor time, for sink_measuring.py.
template <typename Work>
void measure_alone(std::size_t rows, Work work) {
    figures once;
    measure(once, rows, work);
    std::printf("%f %f\n", once.wall.front(), once.processor.front());
}

inline double median(std::vector<double> values) {
    std::ranges::sort(values);
    return values[values.size() / 2];
}

// As Markdown, like sink_measuring.py.
inline void print_head() {
    std::puts("| | rows/s | us/row | CPU us/row |\n|---|--:|--:|--:|");
}

inline void print(const char* name, const figures& of) {
    const auto wall = median(of.wall);
    std::printf("| %s | %.0f | %.2f | %.2f |\n", name, 1e6 / wall, wall, median(of.processor));
}

} // namespace trackd::bench
