// What an errno means, in words. strerror() may allocate and translate, and strerrordesc_np() came
// with glibc 2.32 only.
#ifndef LASTREF_SHIM_ERROR_TEXT_H
#define LASTREF_SHIM_ERROR_TEXT_H

namespace lastref {

// Never null.
const char* error_text(int error);

}  // namespace lastref

#endif  // LASTREF_SHIM_ERROR_TEXT_H
