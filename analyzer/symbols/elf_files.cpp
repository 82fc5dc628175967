#include "symbols/elf_files.h"

#include <algorithm>

namespace lastref {

std::shared_ptr<ElfModule> ElfFiles::find(const std::string& path, const std::string& build_id) {
    std::shared_ptr<File> file;
    {
        const std::lock_guard lock(mutex_);
        std::shared_ptr<File>& known = files_[{path, build_id}];
        if (!known) known = std::make_shared<File>();
        known->asked = ++calls_;
        file = known;
        if (files_.size() > kKept) drop_oldest();
    }
    std::call_once(file->once, [&] { file->module = ElfModule::open(path, build_id, places_); });
    return file->module;
}

// Whoever was given its module keeps that.
void ElfFiles::drop_oldest() {
    files_.erase(std::min_element(files_.begin(), files_.end(), [](const auto& a, const auto& b) {
        return a.second->asked < b.second->asked;
    }));
}

}  // namespace lastref
