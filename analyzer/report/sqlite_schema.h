// The tables of the SQLite output, their indexes, and questions to begin with. The comments go into
// the file: `.schema` of the sqlite3 shell shows them.
#ifndef LASTREF_ANALYZER_REPORT_SQLITE_SCHEMA_H
#define LASTREF_ANALYZER_REPORT_SQLITE_SCHEMA_H

#include <array>

namespace lastref {

// Raised whenever a query for the old tables would fail or mean something else.
inline constexpr int kSqliteSchema = 1;

inline constexpr const char* kSqliteTables = R"(
CREATE TABLE processes (
  id INTEGER PRIMARY KEY, -- from 1, one for each trace
  pid INTEGER, exe TEXT, command TEXT, level TEXT,
  started TEXT, ended TEXT, -- UTC
  start_unix_ns INTEGER, -- the zero of all *_ns of this process, since 1970
  exit TEXT,
  complete INTEGER, -- 1: nothing is missing from its trace
  events INTEGER, lost INTEGER,
  sample_bytes INTEGER, sample_interval INTEGER, -- a sample; 0: everything
  trace TEXT,
  warnings TEXT -- what is missing, a line each
);
CREATE TABLE threads (
  process INTEGER, thread INTEGER, -- as in events
  tid INTEGER, name TEXT
);
CREATE TABLE frames (
  id INTEGER PRIMARY KEY,
  function TEXT, file TEXT, line INTEGER,
  module TEXT, build_id TEXT, "offset" INTEGER, -- in the module
  inlined INTEGER
);
CREATE TABLE stacks (
  stack INTEGER, depth INTEGER, -- 0: the innermost frame
  frame INTEGER, -- frames.id
  PRIMARY KEY (stack, depth)
) WITHOUT ROWID;
CREATE TABLE buffers ( -- lives: refcounted buffers, heap blocks, mappings
  id INTEGER PRIMARY KEY,
  process INTEGER,
  type TEXT, -- 'heap', 'mapping', or a refcounted buffer's
  address INTEGER, -- the last one, where it moved: printf('0x%x', address)
  size INTEGER, -- of a mapping that is live at the end: what is left of it
  count INTEGER, -- references at the end; NULL where none are counted
  created_ns INTEGER, stack INTEGER, -- where it was made
  ended_ns INTEGER, -- NULL: live at the end
  ended_event INTEGER -- events.id; where its end was unseen, of what showed so
);
CREATE TABLE events (
  id INTEGER PRIMARY KEY, -- in the order of time, process after process
  process INTEGER, op TEXT, time_ns INTEGER, thread INTEGER,
  address INTEGER, other_address INTEGER, -- from (realloc, mremap), to (move)
  size INTEGER,
  count INTEGER, -- of a refcounted buffer after it; of a count: its value
  value INTEGER, -- exit: status or signal; fork: child; mmap: file descriptor; break: bytes;
                 -- load, unload: module; thread: kernel's id
  text TEXT, -- type (create, counted), hint (touch, mark), path (exec, load), name (thread), call
             -- (failed), 'status' or 'signal' (exit)
  stack INTEGER,
  buffer INTEGER -- buffers.id: the life that it is of
);
CREATE TABLE findings (
  rank INTEGER PRIMARY KEY, -- 1: the worst
  id TEXT, -- the same in other traces and builds
  process INTEGER, kind TEXT, type TEXT, count INTEGER, bytes INTEGER,
  cause TEXT, confidence REAL, ambiguous INTEGER, -- of the culprit; NULL where none is named
  function TEXT, file TEXT, line INTEGER,
  explanation TEXT,
  culprit_stack INTEGER, created_stack INTEGER,
  example INTEGER -- buffers.id
);
CREATE VIEW live AS SELECT * FROM buffers WHERE ended_ns IS NULL;
CREATE VIEW stack_lines AS
  SELECT stack, depth, coalesce(nullif(function, ''), printf('%s+0x%x', module, "offset")) AS function,
         file, line, module, inlined
  FROM stacks JOIN frames ON frames.id = stacks.frame;
CREATE TABLE examples (question TEXT, query TEXT);
)";

inline constexpr const char* kSqliteIndexes = R"(
CREATE INDEX events_of_buffer ON events (buffer, id) WHERE buffer IS NOT NULL;
CREATE INDEX buffers_at ON buffers (address);
CREATE INDEX buffers_live ON buffers (process, type) WHERE ended_ns IS NULL;
UPDATE findings SET example = (SELECT max(id) FROM buffers
  WHERE buffers.address = findings.example AND buffers.process = findings.process);
)";

struct SqliteExample {
    const char* question;
    const char* query;
};

inline constexpr std::array<SqliteExample, 6> kSqliteExamples = {{
    {"Who is to blame?",
     "SELECT kind, type, count, bytes, cause, confidence, function, file, line FROM findings ORDER "
     "BY "
     "rank"},
    {"The life of the worst finding's example, with the innermost frame of each event",
     "SELECT op, time_ns, thread, events.count, stack_lines.function, stack_lines.file, "
     "stack_lines.line FROM findings "
     "JOIN events ON events.buffer = findings.example "
     "LEFT JOIN stack_lines ON stack_lines.stack = events.stack AND depth = 0 "
     "WHERE rank = 1 ORDER BY events.id"},
    {"Where does what is live at the end come from?",
     "SELECT process, type, count(*) AS lives, sum(size) AS bytes, function, file, line FROM live "
     "LEFT JOIN stack_lines ON stack_lines.stack = live.stack AND depth = 0 "
     "GROUP BY process, type, live.stack ORDER BY bytes DESC LIMIT 20"},
    {"How long do the lives of each type last, in milliseconds?",
     "SELECT process, type, count(*) AS ended, avg(ended_ns - created_ns) / 1e6 AS mean, "
     "max(ended_ns - created_ns) / 1e6 AS longest FROM buffers WHERE ended_ns IS NOT NULL "
     "GROUP BY process, type"},
    {"Which functions allocate most, and how much of it is gone at once (a millisecond)?",
     "SELECT function, count(*) AS lives, sum(size) AS bytes, "
     "sum(ended_ns - created_ns < 1000000) AS short FROM buffers "
     "JOIN stack_lines ON stack_lines.stack = buffers.stack AND depth = 0 "
     "GROUP BY function ORDER BY bytes DESC LIMIT 20"},
    {"Which lives end in another thread than they began in?",
     "SELECT type, count(*) AS lives FROM buffers JOIN events AS last ON last.id = ended_event "
     "JOIN (SELECT buffer, thread, min(id) FROM events WHERE buffer IS NOT NULL GROUP BY buffer) "
     "AS first ON first.buffer = buffers.id WHERE first.thread <> last.thread GROUP BY type"},
}};

}  // namespace lastref

#endif  // LASTREF_ANALYZER_REPORT_SQLITE_SCHEMA_H
