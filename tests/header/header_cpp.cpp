// The public header alone, as C++, in two translation units. Status 0 without the shim, 1 with it.
#include "every_hook.h"

int second_unit();

int main() {
    const int active = every_hook();
    return active == second_unit() ? active : -1;
}
