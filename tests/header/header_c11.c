/* The public header alone, as C11. Status 0 without the shim, 1 with it. */
#include "every_hook.h"

int main(void) {
    return every_hook();
}
