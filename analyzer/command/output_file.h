// Puts an output where the user wants it, whole or not at all.
#ifndef LASTREF_ANALYZER_COMMAND_OUTPUT_FILE_H
#define LASTREF_ANALYZER_COMMAND_OUTPUT_FILE_H

#include <sys/types.h>

#include <string>
#include <string_view>

namespace lastref {

// Written piece by piece: to standard output where `path` is empty. A regular file is replaced at
// once by finish(), so that neither a failure nor a reader ever meets half of it; devices and pipes
// are written to directly. A reader of a pipe that goes away early is no failure.
class OutputFile {
public:
    // `mode`: of a regular file; the umask is taken off it.
    explicit OutputFile(std::string path, mode_t mode = 0666);
    ~OutputFile();
    OutputFile(const OutputFile&) = delete;
    OutputFile& operator=(const OutputFile&) = delete;

    // For libraries that write files by name, instead of write(): what finish() gives its name to.
    // Empty where the output is no regular file, or can't be made.
    const std::string& file() const { return temporary_; }
    // Of that file, to read and write.
    int descriptor() const { return descriptor_; }
    // False once nothing more is to be written: after a failure, or where the reader has gone.
    bool write(std::string_view text);
    // To be called once, at the end. Why it failed, in words that name the file; empty on success.
    std::string finish();

private:
    void fail();

    const std::string path_;
    const mode_t mode_;
    std::string temporary_;  // empty: written to directly
    std::string failure_;
    int descriptor_ = -1;
    bool closed_ = false;  // the reader has gone
};

// A finished text. Returns what finish() returns.
std::string write_output(const std::string& path, std::string_view text);

}  // namespace lastref

#endif  // LASTREF_ANALYZER_COMMAND_OUTPUT_FILE_H
