"""The rooms of the source tree: which file is in which, and who may include whom.

A hall is a folder whose files belong to rooms: a room is a subfolder of the hall, or, for files that
are not in a subfolder yet, the list of names below. Names are without extension. A hall's rooms are
listed from the ground up: a file includes files of its own room and of the rooms that its room is
allowed to see, all of them further down, so that there is no circle.
"""

import dataclasses


@dataclasses.dataclass
class Room:
    sees: str = ""   # rooms whose files its files may include
    files: str = ""  # of the hall's own folder, until they are moved


# Of the whole: the halls themselves, and the analyzer's folders. main.cpp belongs to `command`.
TOP = {
    "shim": Room(),
    "read": Room("shim"),
    "pack": Room("shim read"),
    "symbols": Room(),
    "analyze": Room("shim read pack symbols"),
    "report": Room("read analyze"),
    "gate": Room("shim analyze report"),
    "command": Room("shim read pack symbols analyze report gate"),
}

ANALYZE = {
    "model": Room("", "findings stack usage_report estimate fingerprint trace_follower"),
    "names": Room("model", "symbolizer stack_names call_paths elf_frames runtime_blocks"),
    "lives": Room("model names",
                  "heap heap_table heap_gaps free_places mappings buffers hooked_buffers buffer_life life_history"
                  " life_signature site_counts lifecycle misuse consequences address_pages"
                  " stack_counters hook_facts libc_data trace_facts lives_at finding_builder"),
    "kept": Room("model names lives",
                 "held leaked_groups memory_groups rank_test cache_window"),
    "blame": Room("model names lives kept",
                  "plumbing ways pairing pairing_weights blame judges leak_group verdict_text leak_cycles linked_leaks"
                  " owned_parts made_together missing_frees"),
    "usage": Room("model names", "usage usage_builder frame_tree"),
    "build": Room("model names lives kept blame usage",
                  "analysis report_parts build_report merge_report grouping leak_findings"
                  " memory_findings misuse_findings"),
}

SHIM = {
    "platform": Room("", "raw_syscall text clock slow_lock page_probe config parent_process"
                         " coding confinement symbol_lookup libc_functions freestanding error_text"
                         " segment_span"),
    "rules": Room("platform", "hook_rules hook_rule_reader hook_expressions hook_elf hook_decoder"
                              " hook_relocate hook_debug_file mapped_file"),
    "core": Room("platform", "process trace_file session_memory"),
    "stacks": Room("platform", "eh_frame dwarf_cursor frame_rules module_lookup"
                                    " module_lookup_glibc module_lookup_own module_epoch stack_bounds"
                                    " stack_capture stack_memo stack_walk stack_table stack_check"
                                    " known_pages"),
    "record": Room("platform core stacks", "session thread_log module_table sampler record_writer libc_data messages"
                                           " recording recorder recorder_buffers"),
    "hooks": Room("platform rules stacks record",
                  "hook_code hook_counter hook_events hook_handler hook_install hook_modules hook_notes"
                  " hook_pass hook_table hook_thread hooks hook_stub live_code"),
    "interpose": Room("platform rules stacks record hooks",
                      "interpose interpose_heap interpose_hooks interpose_mappings interpose_new"
                      " interpose_process real_functions start thunks allocator_guard"
                      " heap_calls heap_entries"),
}

HALLS = {"shim": SHIM, "analyzer/analyze": ANALYZE}

# Seen by everybody: the formats and the public header.
GROUND = {"shim/trace_format.h", "shim/include/lastref/lastref.h"}

# Arrows that point back up and are still to be cut: (file, what it includes), without folders. Only
# ever shorter.
TO_BE_CUT = {
    ("session_memory.cpp", "session.h"),
    ("module_lookup_own.cpp", "session.h"),
    ("module_lookup_own.cpp", "module_table.h"),
    ("frame_rules.cpp", "module_table.h"),
    ("stack_check.cpp", "session.h"),
    ("stack_check.cpp", "module_table.h"),
    ("stack_memo.cpp", "session.h"),
    ("stack_memo.cpp", "module_table.h"),
    ("stack_table.cpp", "session.h"),
    ("stack_walk.cpp", "session.h"),
    ("stack_walk.cpp", "module_table.h"),
    ("session.cpp", "hooks.h"),
}

MOST_LINES = 400
# Longer than that, and still to be cut.
TOO_LONG = set()
