// What most files of the analyzer include, compiled once where the option b_pch is set. It is off
// by default: ccache does not cache what uses a precompiled header, and a file that forgets an
// include would go unnoticed. No header that few files need: nlohmann/json.hpp alone would cost
// each file half a second.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>
