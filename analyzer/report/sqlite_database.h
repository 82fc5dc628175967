// A new SQLite database that is filled once: what may fail is remembered, the first failure counts,
// and after it nothing is done any more.
#ifndef LASTREF_ANALYZER_REPORT_SQLITE_DATABASE_H
#define LASTREF_ANALYZER_REPORT_SQLITE_DATABASE_H

#include <sqlite3.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace lastref {

class SqliteDatabase {
public:
    // `path` is an existing empty file of ours alone: no journal, no locks, no fsync.
    explicit SqliteDatabase(const std::string& path);
    ~SqliteDatabase() { sqlite3_close(database_); }
    SqliteDatabase(const SqliteDatabase&) = delete;
    SqliteDatabase& operator=(const SqliteDatabase&) = delete;

    void run(const char* statements);
    // Why it can't be written, in words; empty where it can.
    const std::string& failure() const { return failure_; }

private:
    friend class SqliteInsert;
    void check(int status);

    sqlite3* database_ = nullptr;
    std::string failure_;
};

// Inserts rows into one table. A value is a number, a text, or an empty optional for NULL.
class SqliteInsert {
public:
    SqliteInsert(SqliteDatabase& database, const std::string& table);
    ~SqliteInsert() { sqlite3_finalize(statement_); }
    SqliteInsert(const SqliteInsert&) = delete;
    SqliteInsert& operator=(const SqliteInsert&) = delete;

    // As many values as there are columns. A row with the same primary key is replaced.
    template <typename... Values>
    void row(const Values&... values) {
        if (!database_.failure_.empty()) return;
        int at = 0;
        (bind(++at, values), ...);
        step();
    }

private:
    void bind(int at, int64_t value) { database_.check(sqlite3_bind_int64(statement_, at, value)); }
    void bind(int at, double value) { database_.check(sqlite3_bind_double(statement_, at, value)); }
    void bind(int at, std::string_view text);
    template <typename Value>
    void bind(int at, const std::optional<Value>& value) {
        if (value)
            bind(at, *value);
        else
            database_.check(sqlite3_bind_null(statement_, at));
    }
    sqlite3_stmt* prepare(const std::string& text);
    void step();

    SqliteDatabase& database_;
    sqlite3_stmt* statement_ = nullptr;
};

}  // namespace lastref

#endif  // LASTREF_ANALYZER_REPORT_SQLITE_DATABASE_H
