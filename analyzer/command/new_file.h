// A file that appears under its name only when it is whole, and never takes the place of another
// one.
#ifndef LASTREF_ANALYZER_COMMAND_NEW_FILE_H
#define LASTREF_ANALYZER_COMMAND_NEW_FILE_H

#include <string>

namespace lastref {

class NewFile {
public:
    // Mode 0600, readable and writable. Nothing is left of it unless it is kept, where the file
    // system can make files without a name; else a file `path`.XXXXXX may be left by a kill.
    explicit NewFile(std::string path);
    ~NewFile();
    NewFile(const NewFile&) = delete;
    NewFile& operator=(const NewFile&) = delete;

    // Why it can't be made, empty if it could; checked before anything else.
    const std::string& failure() const { return failure_; }
    int descriptor() const { return descriptor_; }

    // Gives it its name. Returns why that failed, for example because a file of that name came
    // about meanwhile; empty on success.
    std::string keep();

private:
    std::string fail(const std::string& reason) const;

    const std::string path_;
    std::string temporary_;  // empty: without a name
    std::string failure_;
    int descriptor_ = -1;
};

}  // namespace lastref

#endif  // LASTREF_ANALYZER_COMMAND_NEW_FILE_H
