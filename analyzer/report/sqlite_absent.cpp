// Instead of sqlite.cpp, where the library is not there.
#include "report/sqlite.h"

namespace lastref {

std::string_view sqlite_missing() {
    return "this lastref was built without SQLite; install its development files (Debian: "
           "libsqlite3-dev) and configure it with -Dsqlite=enabled";
}

std::unique_ptr<StreamedReport> sqlite_report(const StreamTarget&) {
    return nullptr;
}

}  // namespace lastref
