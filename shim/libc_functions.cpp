#include "libc_functions.h"

#include "symbol_lookup.h"

namespace lastref {
namespace {

template <typename Function>
void find_in_libc(Function& function, const char* name) {
    function = reinterpret_cast<Function>(libc_symbol(name));
}

}  // namespace

LibcFunctions libc;

void find_libc_functions() {
    find_in_libc(libc.on_exit, "on_exit");
    find_in_libc(libc.pthread_key_create, "pthread_key_create");
    find_in_libc(libc.pthread_setspecific, "pthread_setspecific");
    find_in_libc(libc.dlopen, "dlopen");
    find_in_libc(libc.dlsym, "dlsym");
    find_in_libc(libc.dl_iterate_phdr, "dl_iterate_phdr");
}

}  // namespace lastref
