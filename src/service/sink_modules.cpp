#include "service/sink_modules.hpp"

#include "base/version.hpp"

#include <dlfcn.h>
#include <exception>
#include <stdexcept>
#include <string>
#include <sys/auxv.h>

namespace trackd::service {

std::filesystem::path module_file(std::string_view kind) {
    const auto bin = std::filesystem::read_symlink("/proc/self/exe").parent_path();
    return bin.parent_path() / "lib" / "trackd" / ("trackd-" + std::string{kind} + ".so");
}

bool has_module_file(std::string_view kind) noexcept {
    try {
        return std::filesystem::exists(module_file(kind));
    } catch (const std::exception&) {
        return false;
    }
}

const void* load_module(std::string_view kind) {
    const auto file = module_file(kind).string();
    const auto fail = [&](const std::string& what) {
        throw std::runtime_error{
            "kind \"" + std::string{kind} + "\" needs the module " + file + ", " + what +
            "; expected that of this build of trackd, and the libraries that it needs"
        };
    };
    // Whoever can link to such a program from a folder of his own would choose what it loads.
    if (::getauxval(AT_SECURE) != 0)
        fail("which is not loaded into a program that has more rights than who started it");
    auto* const library = ::dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (library == nullptr) fail(std::string{"which cannot be loaded: "} + ::dlerror());
    const void* const module = ::dlsym(library, ("trackd_" + std::string{kind} + "_sink").c_str());
    if (module == nullptr) fail(std::string{"which is none: "} + ::dlerror());
    const std::string_view build = *static_cast<const char* const*>(module);
    if (build != base::module_build)
        fail("which is of another build (" + std::string{build} + ", not " + base::module_build + ")");
    return module;
}

} // namespace trackd::service
