// Row 8 of doc/lifecycle-bugs.md: a release that is always missing, so that no freed buffer shows
// how it should be.
//
// Truth: 100 buffers 'Order' made in Shop::receive and retained by Ledger::keep. Shop gives its own
// reference back, the ledger never does. All stay at count 1. Nothing in the trace distinguishes
// the ledger's missing release from one that Shop would owe: a verdict must be marked ambiguous.
#include "buffer.h"

struct Ledger {
    FRAME void keep(Buffer* order) {
        order->retain();
        last = order;
    }
    Buffer* last = nullptr;
};

struct Shop {
    FRAME void receive() {
        Buffer* order = Buffer::create("Order");
        ledger.keep(order);
        order->release();
    }
    Ledger ledger;
};

int main() {
    Shop shop;
    for (int i = 0; i < 100; ++i) shop.receive();
    std::printf("last order's count %d\n", shop.ledger.last->count());
}
