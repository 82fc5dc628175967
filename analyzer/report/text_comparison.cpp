#include "report/text_comparison.h"

#include <fmt/format.h>

#include <algorithm>

#include "report/text_stack.h"
#include "report/units.h"

namespace lastref {
namespace {

constexpr size_t kColumn = 58;
constexpr size_t kMostRows = 24;
constexpr size_t kMostEvents = 512;  // compared of each; the work grows with the square

std::string place_text(const HistoryEvent& event) {
    if (event.telling >= event.stack.size()) return "";
    const Frame& frame = event.stack[event.telling];
    const std::string function = frame.function.empty() ? "" : short_function(frame.function);
    const std::string file = printable(base_name(frame.file));
    if (frame.line != 0) return fmt::format("{} {}:{}", function, file, frame.line);
    return function.empty() ? fmt::format("{}+{:#x}", printable(frame.module), frame.offset)
                            : function;
}

struct Cell {
    std::string key;  // the same operation at the same place has the same
    std::string text;
};

std::vector<Cell> cells(const Life& life) {
    std::vector<Cell> made;
    for (size_t i = life.events.size(); i-- > 0 && made.size() < kMostEvents;) {
        const HistoryEvent& event = life.events[i];
        std::string place = place_text(event);
        std::string text = fmt::format("{:<8}{:>3}  {}", printable(event.op), event.count, place);
        if (text.size() > kColumn) text = text.substr(0, kColumn - 3) + "...";
        made.push_back({event.op + '\n' + place + '\n' + event.hint, std::move(text)});
    }
    return made;
}

struct Row {
    const Cell* wrong = nullptr;
    const Cell* peer = nullptr;
};

// By the longest sequence that both have in common.
std::vector<Row> aligned(const std::vector<Cell>& wrong, const std::vector<Cell>& peer) {
    const size_t width = peer.size() + 1;
    std::vector<uint16_t> longest((wrong.size() + 1) * width, 0);  // of what is below and right
    for (size_t i = wrong.size(); i-- > 0;) {
        for (size_t j = peer.size(); j-- > 0;) {
            longest[i * width + j] =
                wrong[i].key == peer[j].key
                    ? static_cast<uint16_t>(longest[(i + 1) * width + j + 1] + 1)
                    : std::max(longest[(i + 1) * width + j], longest[i * width + j + 1]);
        }
    }
    std::vector<Row> rows;
    for (size_t i = 0, j = 0; i < wrong.size() || j < peer.size();) {
        if (i < wrong.size() && j < peer.size() && wrong[i].key == peer[j].key) {
            rows.push_back({&wrong[i++], &peer[j++]});
        } else if (j == peer.size() || (i < wrong.size() && longest[(i + 1) * width + j] >=
                                                                longest[i * width + j + 1])) {
            rows.push_back({&wrong[i++], nullptr});
        } else {
            rows.push_back({nullptr, &peer[j++]});
        }
    }
    return rows;
}

}  // namespace

std::vector<std::string> comparison_lines(const Life& wrong, const Life& peer) {
    const std::vector<Cell> left = cells(wrong), right = cells(peer);
    const std::vector<Row> rows = aligned(left, right);
    std::vector<std::string> lines;
    lines.push_back(fmt::format("  {:<{}}  {}", fmt::format("this buffer {:#x}", wrong.buffer),
                                kColumn, fmt::format("a freed one {:#x}", peer.buffer)));
    for (size_t i = 0; i < rows.size(); ++i) {
        // Long lives: what differs is shown, and the ends.
        const bool same = rows[i].wrong && rows[i].peer;
        if (rows.size() > kMostRows && same && i >= 4 && i + 2 < rows.size()) continue;
        if (lines.size() > 2 * kMostRows) {
            lines.push_back(fmt::format("  ({} more)", rows.size() - i));
            break;
        }
        const char mark = same ? ' ' : rows[i].wrong ? '>' : '<';
        lines.push_back(fmt::format("{} {:<{}}  {}", mark, rows[i].wrong ? rows[i].wrong->text : "",
                                    kColumn, rows[i].peer ? rows[i].peer->text : ""));
    }
    return lines;
}

}  // namespace lastref
