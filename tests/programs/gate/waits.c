// waits FIFO: opens the FIFO for writing, so that its reader knows that it runs, then waits for a
// signal to end it.
#include <fcntl.h>
#include <unistd.h>

int main(int count, char** arguments) {
    if (count != 2 || open(arguments[1], O_WRONLY) < 0) return 2;
    for (;;) pause();
}
