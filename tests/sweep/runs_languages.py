"""Real runs: language runtimes, each with its threads, processes and collector."""

from runs import Run

PYTHON = [
    Run("python-threads", ["/usr/bin/python3", "-c", """
import concurrent.futures, json, queue, sys, threading
def work(i): return sum(len(json.dumps({"n": list(range(j % 50))})) for j in range(i, i + 150))
with concurrent.futures.ThreadPoolExecutor(8) as pool: print(sum(pool.map(work, range(40))))
q = queue.Queue(); done = []
def take():
    while (item := q.get()) is not None: done.append(item)
threads = [threading.Thread(target=take) for _ in range(4)]
for t in threads: t.start()
for i in range(2000): q.put(i)
for t in threads: q.put(None)
for t in threads: t.join()
print(sum(done)); sys.exit(9)
"""], "576840\n1999000\n", ("/usr/bin/python3",), status=9),
    Run("python-multiprocessing", ["/usr/bin/python3", "multi.py"],
        "fork 8955050\nspawn 8955050\nforkserver 8955050\n400 [0, 0, 0, 0]\n", ("/usr/bin/python3",),
        files=(("multi.py", """
import multiprocessing, sys
def square(n): return n * n
if __name__ == "__main__":
    for way in ("fork", "spawn", "forkserver"):
        context = multiprocessing.get_context(way)
        with context.Pool(2) as pool: print(way, sum(pool.map(square, range(300), 10)))
    context = multiprocessing.get_context("fork")
    value = context.Value("i", 0)
    def add():
        for _ in range(100):
            with value.get_lock(): value.value += 1
    processes = [context.Process(target=add) for _ in range(4)]
    for p in processes: p.start()
    for p in processes: p.join()
    print(value.value, [p.exitcode for p in processes])
"""),)),
    Run("python-subprocess", ["/usr/bin/python3", "-c", """
import os, signal, subprocess, sys
print(subprocess.run(["tr", "a-z", "A-Z"], input=b"text", stdout=subprocess.PIPE).stdout)
print(subprocess.run("exit 3", shell=True).returncode)
print(subprocess.run(["sh", "-c", "kill -SEGV $$"]).returncode)
children = [subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(20)]
print(sum(len(c.communicate(b"x" * i)[0]) for i, c in enumerate(children)))
child = subprocess.Popen(["sh", "-c", "echo; exec tail -f /dev/null"], stdout=subprocess.PIPE)
child.stdout.readline(); child.terminate(); print(child.wait())
pid = os.posix_spawn("/bin/echo", ["echo", "spawned"], os.environ); print(os.waitpid(pid, 0)[1])
pid = os.fork()
if pid == 0: os.execv("/bin/sh", ["sh", "-c", "exit 5"])
print(os.WEXITSTATUS(os.waitpid(pid, 0)[1])); sys.stdout.flush(); os.kill(os.getpid(), signal.SIGTERM)
"""], "b'TEXT'\n3\n-11\n190\n-15\nspawned\n0\n5\n", ("/usr/bin/python3",), status=143, variables=(("PYTHONUNBUFFERED", "1"),)),
    Run("python-libraries", ["/usr/bin/python3", "-c", """
import asyncio, bz2, ctypes, decimal, gc, hashlib, lzma, mmap, re, sqlite3, ssl, tempfile, zlib
data = b"".join(b"%d" % i for i in range(30000))
print(all(m.decompress(m.compress(data)) == data for m in (bz2, lzma, zlib)))
db = sqlite3.connect(":memory:"); db.execute("create table t(a, b)")
db.executemany("insert into t values(?, ?)", ((i, str(i) * 3) for i in range(5000)))
print(db.execute("select count(*), sum(a), max(b) from t").fetchone())
async def main(): return sum(await asyncio.gather(*(asyncio.sleep(0, i) for i in range(500))))
print(asyncio.run(main()), ssl.create_default_context().verify_mode)
libc = ctypes.CDLL(None); libc.malloc.restype = ctypes.c_void_p; libc.free.argtypes = [ctypes.c_void_p]
for i in range(1000): libc.free(libc.malloc(i))
with tempfile.TemporaryFile() as file:
    file.truncate(1 << 20); m = mmap.mmap(file.fileno(), 0); m[5:8] = b"abc"; print(m.find(b"abc")); m.close()
decimal.getcontext().prec = 40; print(decimal.Decimal(2).sqrt())
loops = [[] for _ in range(3000)]; [l.append(l) for l in loops]; del loops; print(gc.collect() >= 2999)
print(hashlib.blake2b(data).hexdigest()[:16], len(re.findall(rb"1+2", data)))
"""], """True
(5000, 12497500, '999999999')
124750 2
5
1.414213562373095048801688724209698078570
True
a417d37debcd8afe 3012
""", ("/usr/bin/python3",)),
]

OTHERS = [
    Run("perl", ["perl", "-e", r"""
my %count; $count{$_ % 101}++ for 1 .. 50000;
print scalar(keys %count), " $count{7}\n";
my $text = "abc123 " x 2000; my $n = () = $text =~ /([a-z]+)(\d+)/g; print "$n\n";
$| = 1; my $child = fork; if (!$child) { my @a = map { "x" x $_ } 1 .. 500; exit 6 }
waitpid $child, 0; print $? >> 8, "\n"; print `echo back-quoted`;
local $SIG{ALRM} = sub { die "alarm\n" }; eval { kill "ALRM", $$; 1 while 1 }; print $@; exit 4;
"""], "101 495\n4000\n6\nback-quoted\nalarm\n", ("perl",), status=4),
    Run("perl-threads", ["perl", "-e", r"""
use threads; use threads::shared; my $sum : shared = 0;
my @threads = map { my $n = $_; threads->create(sub { for (1 .. 200) { lock($sum); $sum += $n } return "x" x $n }) } 1 .. 6;
print length($_->join()), "\n" for @threads; print "$sum\n";
"""], "1\n2\n3\n4\n5\n6\n4200\n", ("perl",), order=True),
    Run("node-workers", ["node", "-e", """
const { Worker, isMainThread } = require("worker_threads");
const code = `const { parentPort, workerData } = require("worker_threads");
let a = []; for (let i = 0; i < 20000; i++) a.push({ i, s: "x" + i });
parentPort.postMessage(a.filter(o => o.i % workerData === 0).length);`;
Promise.all([2, 3, 4, 5].map(n => new Promise((done, failed) => {
  const worker = new Worker(code, { eval: true, workerData: n });
  worker.on("message", done); worker.on("error", failed);
}))).then(found => { console.log(found.join(" ")); process.exitCode = 3; });
"""], "10000 6667 5000 4000\n", ("node",), status=3),
    Run("node-server", ["node", "-e", """
const http = require("http"), zlib = require("zlib"), crypto = require("crypto");
const { execFile } = require("child_process"), fs = require("fs");
const server = http.createServer((q, a) => a.end(zlib.gzipSync("page " + q.url)));
server.listen(0, "127.0.0.1", async () => {
  const get = n => new Promise(done => http.get({ port: server.address().port, host: "127.0.0.1", path: "/" + n },
    a => { const parts = []; a.on("data", p => parts.push(p)); a.on("end", () => done(zlib.gunzipSync(Buffer.concat(parts)).toString())); }));
  const pages = await Promise.all(Array.from({ length: 60 }, (_, n) => get(n)));
  console.log(pages.length, pages[59], crypto.createHash("sha256").update(pages.join()).digest("hex").slice(0, 16));
  fs.writeFileSync("file", "content"); console.log(fs.readFileSync("file").toString());
  execFile("echo", ["from a child"], (e, out) => { console.log(out.trim()); server.close(); });
});
"""], "60 page /59 be768b1e63635266\ncontent\nfrom a child\n", ("node",)),
    Run("ruby", ["ruby", "-e", """
require "json"; require "digest"
puts (1..8).map { |n| Thread.new { (1..3000).sum { |i| (i * n).to_s.length } } }.map(&:value).join(" ")
pid = fork { GC.start; exit 6 }; Process.wait pid; puts $?.exitstatus
puts JSON.parse(JSON.generate((1..2000).map { |i| { i => "x" * (i % 30) } })).length
GC.start; GC.compact if GC.respond_to?(:compact); puts Digest::SHA256.hexdigest("text")[0, 16], `echo back-quoted`
fiber = Fiber.new { 3.times { |i| Fiber.yield i }; :end }; puts 4.times.map { fiber.resume }.inspect
begin; def deep(n) = deep(n + 1); deep(0); rescue SystemStackError; puts "deep"; end; exit 5
"""], "10893 11448 11631 12226 12782 13151 13415 13614\n6\n2000\n982d9e3eb996f559\nback-quoted\n"
        "[0, 1, 2, :end]\ndeep\n", ("ruby",), status=5),
    Run("lua", ["lua5.4", "-e", """
local t = {} for i = 1, 60000 do t[i % 997 .. "k"] = (t[i % 997 .. "k"] or 0) + i end
local n, s = 0, 0 for k, v in pairs(t) do n = n + 1 s = s + v end print(n, s)
local c = coroutine.wrap(function() for i = 1, 1000 do coroutine.yield(i) end end)
local sum = 0 for i = 1, 1000 do sum = sum + c() end print(sum)
collectgarbage() print(pcall(error, "caught")) print(string.rep("ab", 3, "-"), ("x1y22"):gsub("%d+", "#"))
os.exit(7, true)
"""], "997\t1800030000\n500500\nfalse\tcaught\nab-ab-ab\tx#y#\t2\n", ("lua5.4",), status=7),
    Run("tcl", ["tclsh"], "0 0 0 1\n97\nTEXT\n1\ncaught\n610\n1000\n", ("tclsh",), status=4, input="""
for {set i 0} {$i < 30000} {incr i} { lappend list [expr {$i * 7919 % 10007}]; incr count([expr {$i % 97}]) }
puts [lrange [lsort -integer $list] 0 3]; puts [array size count]
puts [exec tr a-z A-Z << text]; puts [catch {error caught} message]; puts $message
proc fib n { expr {$n < 2 ? $n : [fib [expr {$n - 1}]] + [fib [expr {$n - 2}]]} }; puts [fib 15]
puts [string length [encoding convertto unicode [string repeat x 500]]]
exit 4
"""),
    Run("php", ["php", "-r", """
$a = []; for ($i = 0; $i < 50000; $i++) { $a[$i % 1009 . "k"] ??= 0; $a[$i % 1009 . "k"] += $i; }
ksort($a); echo count($a), " ", array_sum($a), "\\n", strlen(serialize($a)), "\\n";
echo preg_replace_callback('/[0-9]+/', fn($m) => $m[0] * 2, "a1 b22"), "\\n", json_encode(["x" => [1, null]]), "\\n";
echo trim(shell_exec("echo from a child")), "\\n"; try { throw new Exception("caught"); } catch (Exception $e) { echo $e->getMessage(), "\\n"; }
function g() { for ($i = 0; $i < 1000; $i++) yield $i; } echo array_sum(iterator_to_array(g())), "\\n"; gc_collect_cycles(); exit(6);
"""], """1009 1249975000
21097
a2 b44
{"x":[1,null]}
from a child
caught
499500
""", ("php",), status=6),
    Run("guile", ["guile", "--no-auto-compile", "-c", """
(use-modules (ice-9 threads) (srfi srfi-1))
(display (apply + (par-map (lambda (n) (length (iota (* n 100)))) (iota 20)))) (newline)
(define (fib n) (if (< n 2) n (+ (fib (- n 1)) (fib (- n 2))))) (display (fib 18)) (newline)
(gc) (display (expt 2 100)) (newline) (display (catch #t (lambda () (car 1)) (lambda (k . r) k))) (newline)
(exit 3)
"""], "19000\n2584\n1267650600228229401496703205376\nwrong-type-arg\n", ("guile",), status=3),
    Run("erlang", ["erl", "-noshell", "-noinput", "-eval", """
Me = self(), [spawn(fun() -> Me ! lists:sum(lists:seq(1, N)) end) || N <- lists:seq(1, 2000)],
Sum = lists:foldl(fun(_, S) -> receive X -> S + X end end, 0, lists:seq(1, 2000)),
io:format("~p ~p~n", [Sum, byte_size(term_to_binary(lists:seq(1, 9999)))]),
T = ets:new(t, []), [ets:insert(T, {I, integer_to_list(I)}) || I <- lists:seq(1, 20000)],
io:format("~p ~s~n", [ets:info(T, size), os:cmd("echo from a child")]), halt(6).
"""], "1335334000 49237\n20000 from a child\n\n", ("erl",), status=6),
]

JAVA = """
import java.nio.ByteBuffer;
import java.util.*;
import java.util.concurrent.*;
import java.util.stream.*;
public class Small {
    static int depth(int n) { return depth(n + 1) + 1; }
    public static void main(String[] arguments) throws Exception {
        Map<Integer, List<String>> byLength = IntStream.range(0, 20000)
            .mapToObj(i -> "x".repeat(i % 37)).collect(Collectors.groupingBy(String::length));
        ExecutorService pool = Executors.newFixedThreadPool(8);
        int sum = 0;
        List<Future<Integer>> all = new ArrayList<>();
        for (int i = 0; i < 40; i++) all.add(pool.submit(() -> byLength.size()));
        for (Future<Integer> one : all) sum += one.get();
        pool.shutdown();
        System.out.println(sum);
        try { Object nothing = null; nothing.hashCode(); }
        catch (NullPointerException caught) { System.out.println("caught"); }
        try { depth(0); } catch (StackOverflowError caught) { System.out.println("deep"); }
        ByteBuffer direct = ByteBuffer.allocateDirect(1 << 20);
        direct.putLong(8, 42); System.out.println(direct.getLong(8));
        System.gc();
        Process child = new ProcessBuilder("echo", "from a child").inheritIO().start();
        System.exit(child.waitFor() + 5);
    }
}
"""
JAVA_RUNS = [
    Run("java", ["java", "-Xmx128m", "-cp", ".", "Small"], "1480\ncaught\ndeep\n42\nfrom a child\n",
        ("java", "javac"), status=5, prepare="javac -d . Small.java", files=(("Small.java", JAVA),)),
    Run("java-serial-interpreted", ["java", "-XX:+UseSerialGC", "-Xint", "-Xmx64m", "-cp", ".", "Small"],
        "1480\ncaught\ndeep\n42\nfrom a child\n", ("java", "javac"), status=5,
        prepare="javac -d . Small.java", files=(("Small.java", JAVA),)),
    Run("javac", "javac -d out Small.java && ls out && jar -cf small.jar -C out . && "
        "jar -tf small.jar | sort", "Small.class\nMETA-INF/\nMETA-INF/MANIFEST.MF\nSmall.class\n", ("javac", "jar"), files=(("Small.java", JAVA),)),
]

RUNS = PYTHON + OTHERS + JAVA_RUNS
