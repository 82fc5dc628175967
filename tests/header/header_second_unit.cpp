#include <lastref/lastref.h>

int second_unit() {
    return lastref_active();
}
