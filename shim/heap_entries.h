// Allocators whose functions the program reaches without us: their entries are patched to lead to
// us, and what they did goes on from a copy of their first instructions.
//
// Three kinds. An allocator in front of us in the loader's order, linked into the program
// (jemalloc, PartitionAlloc) or preloaded before us. The interface that jemalloc has beside
// malloc's. And the C library's own functions, once the program opens a plug-in with RTLD_DEEPBIND,
// whose calls pass by every definition but the C library's.
//
// All of an allocator's functions are hooked, or none is: with the frees of half a heap unseen
// every block would be a leak.
#ifndef LASTREF_SHIM_HEAP_ENTRIES_H
#define LASTREF_SHIM_HEAP_ENTRIES_H

namespace lastref {

// For the constructor, while recording: looks whether there is an allocator in front of us, and
// hooks it. What can't be is noted in the trace.
void take_front_entries();

// For the constructor, too: functions of an allocator behind us that the program calls by names
// that we can't export, since it asks by them whether the allocator is there (jemalloc's mallocx).
void take_extra_entries();

// Before dlopen() with RTLD_DEEPBIND.
void take_libc_entries();

}  // namespace lastref

#endif  // LASTREF_SHIM_HEAP_ENTRIES_H
