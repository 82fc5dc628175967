#include "report/sqlite_database.h"

#include <cstring>

namespace lastref {

SqliteDatabase::SqliteDatabase(const std::string& path) {
    check(sqlite3_open_v2(path.c_str(), &database_, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
                          "unix-none"));
    run("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -16384; BEGIN;");
}

void SqliteDatabase::run(const char* statements) {
    if (failure_.empty()) check(sqlite3_exec(database_, statements, nullptr, nullptr, nullptr));
}

void SqliteDatabase::check(int status) {
    if (status == SQLITE_OK || status == SQLITE_DONE || !failure_.empty()) return;
    failure_ = std::string("can't be written: ") +
               (database_ == nullptr ? sqlite3_errstr(status) : sqlite3_errmsg(database_));
    const int error = database_ == nullptr ? 0 : sqlite3_system_errno(database_);
    if (error != 0) failure_ += std::string(" (") + std::strerror(error) + ')';
}

sqlite3_stmt* SqliteInsert::prepare(const std::string& text) {
    sqlite3_stmt* statement = nullptr;
    if (database_.failure_.empty()) {
        database_.check(
            sqlite3_prepare_v2(database_.database_, text.c_str(), -1, &statement, nullptr));
    }
    return statement;
}

SqliteInsert::SqliteInsert(SqliteDatabase& database, const std::string& table)
    : database_(database) {
    sqlite3_stmt* const all = prepare("SELECT * FROM " + table);
    std::string values = "?";
    for (int i = 1; i < sqlite3_column_count(all); ++i) values += ", ?";
    sqlite3_finalize(all);
    statement_ = prepare("INSERT OR REPLACE INTO " + table + " VALUES (" + values + ")");
}

// The text is used by step() and not after it.
void SqliteInsert::bind(int at, std::string_view text) {
    const char* const bytes = text.data() == nullptr ? "" : text.data();  // null would be NULL
    database_.check(
        sqlite3_bind_text64(statement_, at, bytes, text.size(), SQLITE_STATIC, SQLITE_UTF8));
}

void SqliteInsert::step() {
    const int status = sqlite3_step(statement_);
    if (status != SQLITE_DONE) database_.check(status);
    sqlite3_reset(statement_);
}

}  // namespace lastref
