// Hooks of other people's libraries, by rule (hook_rules.h), with no recompile.
//
//   hook_rules      the grammar and its parser          hook_elf       symbols of a library's file
//   hook_decoder    lengths of instructions             hook_relocate  moves first instructions
//   hook_code       near memory, writing code           hook_stub      where hooked entries lead
//   hook_handler    evaluates rules at each call        hook_events    what becomes an event
//   hook_modules    libraries come and go               hooks          the start, and rule files
#ifndef LASTREF_SHIM_HOOKS_H
#define LASTREF_SHIM_HOOKS_H

namespace lastref::hooks {

// Installs what config.hooks asks for in the libraries that are loaded, and sees to those that come
// later. For the constructor, while recording; the arguments are the constructor's own.
void start(int count, char** arguments, char** environment);

// The program is about to confine itself by seccomp. Hooks need the kernel to detect bad pointers:
// they are off from here.
void program_confines_itself();

// A forked child has a trace of its own: says in it what is hooked.
void session_restarted();

}  // namespace lastref::hooks

#endif  // LASTREF_SHIM_HOOKS_H
