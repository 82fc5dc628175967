"""Real runs: browsers without a display, and media."""

import re

from runs import Run

PAGE = """<!doctype html><title>t</title><body><p id=p></p><canvas id=c></canvas><script>
let map = new Map(); for (let i = 0; i < 20000; i++) map.set("k" + i % 997, { i });
document.getElementById("c").getContext("2d").fillRect(0, 0, 9, 9);
document.getElementById("p").textContent = "made " + map.size;
</script>"""
CHROMIUM = ["chromium", "--headless", "--disable-gpu", "--no-first-run", "--user-data-dir=profile",
            "--virtual-time-budget=1000", "--disable-dev-shm-usage"]
CLIP = ("-f lavfi -i testsrc=duration=1:size=320x240:rate=25 -f lavfi -i sine=duration=1 "
        "-flags +bitexact -fflags +bitexact")

RUNS = [
    Run("chromium", [*CHROMIUM, "--no-sandbox", "--dump-dom", "page.html"],
        re.compile(r'(?s).*<p id="p">made 997</p>.*'), ("chromium",), files=(("page.html", PAGE),),
        stderr=False, complete=False),
    # With its sandbox, which root may not have.
    Run("chromium-sandboxed", "(( $(id -u) )) || as='setpriv --reuid=nobody --regid=nogroup --clear-groups'\n"
        "${as:-} " + " ".join(CHROMIUM) + " --dump-dom page.html",
        re.compile(r'(?s).*<p id="p">made 997</p>.*'), ("chromium",), files=(("page.html", PAGE),),
        stderr=False, complete=False),
    Run("firefox", "firefox-esr --headless --no-remote --profile p --screenshot $PWD/shot.png "
        "--window-size=300,200 file://$PWD/page.html >/dev/null 2>&1; file -b shot.png | cut -d, -f1,2",
        "PNG image data, 300 x 200\n", ("firefox-esr", "file"),
        files=(("page.html", PAGE),), prepare="mkdir p", stderr=False, complete=False),
    Run("ffmpeg", f"ffmpeg -v error -nostdin {CLIP} -c:v mpeg4 -c:a aac -threads 2 -f md5 -",
        re.compile(r"MD5=[0-9a-f]{32}\n"), ("ffmpeg",)),
    Run("ffprobe", f"ffmpeg -v error -nostdin {CLIP} -c:v libx264 -threads 2 -c:a aac a.mkv; ffprobe -v error "
        "-show_entries stream=codec_name,width -of csv a.mkv; ffmpeg -v error -nostdin -i a.mkv -f "
        "framemd5 - | grep -vc '^#'", "stream,h264,320\nstream,aac\n70\n", ("ffmpeg", "ffprobe")),
    Run("gst-launch", "gst-launch-1.0 -q videotestsrc num-buffers=60 ! video/x-raw,width=320,height=240 ! "
        "tee name=t t. ! queue ! fakesink t. ! queue ! videoconvert ! video/x-raw,format=RGB ! "
        "filesink location=frames; stat -c %s frames", "13824000\n", ("gst-launch-1.0",), variables=(("GST_REGISTRY", "registry.bin"),)),
]
