"""Programs that everybody has: same output and status with lastref, all traces complete.

A program that is not installed is a skipped test here and a failure in CI (needs()); the packages
are listed in packages.txt.
"""

import hashlib
import os
import signal
import socket
import subprocess
import tempfile
import unittest

from side_by_side import Balance, SideBySide, needs
from lastref_testing import HANG, LASTREF, clean_environment, plain, traces_in

CXX_SOURCE = """
#include <map>
#include <regex>
#include <string>
int matches(const std::string& text) {
    static const std::regex word("[a-z]+[0-9]*");
    std::map<std::string, int> counts;
    for (std::sregex_iterator i(text.begin(), text.end(), word), end; i != end; ++i)
        counts[i->str()]++;
    return static_cast<int>(counts.size());
}
"""

JAVA_SOURCE = """
import java.util.*;
import java.util.stream.*;
public class Small {
    public static void main(String[] arguments) throws Exception {
        Map<Integer, List<String>> byLength = IntStream.range(0, 20000)
            .mapToObj(i -> "x".repeat(i % 37)).collect(Collectors.groupingBy(String::length));
        int[] sum = new int[1];
        Thread[] threads = new Thread[8];
        for (int i = 0; i < threads.length; i++) {
            threads[i] = new Thread(() -> { synchronized (sum) { sum[0] += byLength.size(); } });
            threads[i].start();
        }
        for (Thread thread : threads) thread.join();
        try { Object nothing = null; nothing.hashCode(); }
        catch (NullPointerException caught) { System.out.println("caught"); }
        System.gc();
        System.out.println(sum[0]);
        System.exit(5);
    }
}
"""


class Tools(SideBySide):
    @needs("sqlite3")
    def test_sqlite_with_100000_rows(self):
        script = ["create table rows(id integer primary key, text text, number real);", "begin;"]
        script += [f"insert into rows values({i}, 'row {i * 7919 % 100003}', {i * 0.5});"
                   for i in range(100000)]
        script += ["commit;", "create index by_text on rows(text);",
                   "select count(*), sum(number), min(text), max(text) from rows;",
                   "select substr(text, 1, 6), count(*) from rows group by 1 order by 2, 1"
                   " limit 9;"]
        run = self.side_by_side("sqlite3", "-batch", ":memory:", input="\n".join(script))
        self.assertEqual(run.status, 0)
        self.assertIn("100000|", run.stdout)
        self.assertGreater(run.report["summary"]["heap"]["allocations"], 100000)

    @needs("/usr/bin/python3")
    def test_python(self):
        script = """
import json, subprocess, sys, threading
print(json.dumps(json.loads('{"a": [1, 2, {"b": null}]}'), sort_keys=True))
print(subprocess.run(["/bin/echo", "from", "a", "child"], stdout=subprocess.PIPE).stdout)
print(subprocess.run("exit 3", shell=True).returncode)
threads = [threading.Thread(target=lambda: [bytearray(i) for i in range(2000)]) for _ in range(4)]
[t.start() for t in threads]; [t.join() for t in threads]
sys.exit(9)
"""
        run = self.side_by_side("/usr/bin/python3", "-c", script)
        self.assertEqual(run.status, 9)
        self.assertGreaterEqual(len(run.traces), 3)

    @needs("perl")
    def test_perl(self):
        script = r"""
my %count; $count{$_ % 101}++ for 1 .. 50000;
print join(",", map { "$_=$count{$_}" } sort { $a <=> $b } keys %count), "\n";
my $text = "abc123 " x 2000; my $n = () = $text =~ /([a-z]+)(\d+)/g; print "$n\n";
my $child = fork; if (!$child) { my @a = map { "x" x $_ } 1 .. 500; exit 6 }
waitpid $child, 0; print $? >> 8, "\n"; print `echo back-quoted`; exit 4;
"""
        run = self.side_by_side("perl", "-e", script)
        self.assertEqual(run.status, 4)

    @needs("bash")
    def test_bash_with_pipelines_and_subshells(self):
        script = r"""
set -o pipefail
seq 1 2000 | sort -rn | head -n 5 | (while read -r n; do echo "got $n"; done)
x=$(for i in $(seq 1 30); do (echo "$i" | tr 0-9 a-j); done | paste -sd, -); echo "$x"
declare -A map; for i in {1..500}; do map[$i]=$((i * i)); done; echo "${map[77]} ${#map[@]}"
cat <(echo one) <(echo two); echo here <<< there
true & wait $!; echo "background $?"
( kill -TERM $BASHPID ); echo "killed $?"
trap 'echo trapped' EXIT
exit 17
"""
        run = self.side_by_side("bash", "-c", script)
        self.assertEqual(run.status, 17)

    @needs("git")
    def test_git_clone(self):
        source = os.path.join(self.directory, "source")
        environment = {
            "HOME": self.directory, "GIT_CONFIG_NOSYSTEM": "1", "LC_ALL": "C",
            "GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@example.com",
            "GIT_AUTHOR_DATE": "2020-01-01T00:00:00Z", "GIT_COMMITTER_NAME": "A",
            "GIT_COMMITTER_EMAIL": "a@example.com", "GIT_COMMITTER_DATE": "2020-01-01T00:00:00Z",
        }
        plain(["git", "init", "-q", "-b", "main", source], env=environment)
        for commit in range(20):
            for name in range(10):
                with open(os.path.join(source, f"file{name}"), "w", encoding="ascii") as file:
                    file.write(f"{commit} {name}\n" * 200)
            plain(["git", "-C", source, "add", "."], env=environment)
            plain(["git", "-C", source, "commit", "-q", "-m", f"commit {commit}"], env=environment)
        expected = plain(["git", "-C", source, "log", "--format=%H"], env=environment).stdout
        self.assertEqual(len(expected.split()), 20)
        copies = [os.path.join(self.directory, name) for name in ("plain", "traced")]
        clone = ["git", "clone", "-q", "file://" + source]
        first = plain([*clone, copies[0]], env=environment)
        second = self.run_program([*clone, copies[1]], env=environment)
        self.assertEqual((first.status, first.stdout), (0, ""))
        self.assert_same(first, second)
        self.assert_traces_complete(second.traces)
        self.assertGreater(len(second.traces), 2)
        for copy in copies:
            self.assertEqual(plain(["git", "-C", copy, "log", "--format=%H"],
                                   env=environment).stdout, expected)
            self.assertEqual(plain(["git", "-C", copy, "fsck"], env=environment).status, 0)

    @needs("clang++")
    def test_clang(self):
        source = os.path.join(self.directory, "source.cpp")
        with open(source, "w", encoding="ascii") as file:
            file.write(CXX_SOURCE)
        compile_ = ["clang++", "-std=c++17", "-O1", "-c", source, "-o", "-"]
        run = self.side_by_side(*compile_, binary=True)
        self.assertEqual(run.status, 0, run.stderr)
        self.assertEqual(run.stdout[:4], b"\x7fELF")

    @needs("clang++")
    def test_clang_with_an_error(self):
        run = self.side_by_side("clang++", "-x", "c++", "-", "-c", "-o", "/dev/null",
                                input="int main() { return undeclared; }")
        self.assertEqual(run.status, 1)
        self.assertIn(run.plain_stderr.strip(), run.stderr)


class Media(SideBySide):
    @needs("ffmpeg")
    def test_ffmpeg(self):
        clip = ["-f", "lavfi", "-i", "testsrc=duration=2:size=320x240:rate=25",
                "-f", "lavfi", "-i", "sine=duration=2"]
        encode = ["ffmpeg", "-v", "error", "-nostdin", *clip, "-c:v", "mpeg4", "-c:a", "aac",
                  "-threads", "2", "-flags", "+bitexact", "-fflags", "+bitexact", "-f", "md5", "-"]
        run = self.side_by_side(*encode)
        self.assertEqual(run.status, 0, run.stderr)
        self.assertRegex(run.stdout, r"^MD5=[0-9a-f]{32}$")

    @needs("gst-launch-1.0")
    def test_gstreamer(self):
        # A registry of its own: the first run forks a scanner, which is traced as well.
        registry = os.path.join(self.directory, "registry.bin")
        run = self.side_by_side("gst-launch-1.0", "-q", "videotestsrc", "num-buffers=100", "!",
                                "fakesink", env={"GST_REGISTRY": registry,
                                                 "HOME": self.directory})
        self.assertEqual(run.status, 0, run.stderr)


class Java(SideBySide):
    @needs("java")
    def test_version(self):
        run = self.side_by_side("java", "-version")
        self.assertEqual(run.status, 0)
        self.assertTrue(run.plain_stderr.strip())
        self.assertIn(run.plain_stderr.strip(), run.stderr)  # it speaks on stderr

    @needs("java", "javac")
    def test_small_program(self):
        source = os.path.join(self.directory, "Small.java")
        with open(source, "w", encoding="ascii") as file:
            file.write(JAVA_SOURCE)
        self.assertEqual(plain(["javac", "-d", self.directory, source]).status, 0)
        run = self.side_by_side("java", "-Xmx128m", "-cp", self.directory, "Small")
        self.assertEqual((run.status, run.stdout), (5, "caught\n296\n"))


class Server:
    """A server started under `lastref run`, with its standard output in a pipe."""

    def __init__(self, test, argv, traced, env=None):
        self.directory = tempfile.mkdtemp(dir=test.directory)
        command = list(argv)
        if traced:
            pattern = os.path.join(self.directory, "%e.%p.%n.trace")
            command = [LASTREF, "run", "-o", pattern, "--", *argv]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                        stdin=subprocess.DEVNULL, env=clean_environment(env),
                                        start_new_session=True)
        test.addCleanup(self.end)

    def end(self):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.process.stdout.close()

    def traces(self):
        return traces_in(self.directory)


class Redis(SideBySide):
    def serve(self, traced):
        """Starts redis, loads it, stops it. (answers, status, server)"""
        path = os.path.join(self.directory, f"redis-{traced}.sock")
        ready = os.path.join(self.directory, f"ready-{traced}.sock")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notified:
            notified.bind(ready)
            notified.settimeout(HANG)
            server = Server(self, ["redis-server", "--port", "0", "--unixsocket", path,
                                   "--dir", self.directory, "--save", "", "--supervised", "systemd",
                                   "--dbfilename", f"dump-{traced}.rdb"],
                            traced, env={"NOTIFY_SOCKET": ready})
            while b"READY=1" not in notified.recv(4096):  # redis' message to systemd
                pass

        def ask(*words):
            return plain(["redis-cli", "-s", path, *words]).stdout

        load = plain(["redis-benchmark", "-s", path, "-n", "5000", "-c", "20", "-q", "--csv", "-t",
                      "set,get,incr,lpush,rpop,hset,zadd,mset"])
        self.assertEqual(load.status, 0, load.stderr)
        answers = [len(load.stdout.splitlines()), ask("dbsize"), ask("get", "counter:__rand_int__"),
                   ask("eval", "return {1, 'two', redis.call('strlen', 'key:__rand_int__')}", "0"),
                   ask("lrange", "mylist", "0", "3"), ask("save"),
                   ask("memory", "malloc-stats")[:20]]
        plain(["redis-cli", "-s", path, "shutdown", "nosave"])
        return answers, server.process.wait(timeout=HANG), server

    @needs("redis-server", "redis-benchmark", "redis-cli")
    def test_under_redis_benchmark(self):
        expected = self.serve(traced=False)
        actual = self.serve(traced=True)
        self.assertEqual(actual[0], expected[0])
        self.assertEqual((actual[1], expected[1]), (0, 0))
        found = self.assert_traces_complete(actual[2].traces())
        self.assertGreater(found["summary"]["heap"]["allocations"], 1000)
        # Order holds for jemalloc too.
        balance = Balance(actual[2].traces()[0])
        self.assertGreater(sum(balance.ended.values()), 1000)


class Nginx(SideBySide):
    REQUESTS = 400
    CONFIG = """
worker_processes 2; daemon off; error_log stderr error; pid {directory}/nginx.pid;
{user}
events {{ worker_connections 64; }}
http {{
  access_log off; client_body_temp_path {directory}; proxy_temp_path {directory};
  fastcgi_temp_path {directory}; uwsgi_temp_path {directory}; scgi_temp_path {directory};
  gzip on; gzip_types *; gzip_min_length 1;
  server {{ listen unix:{directory}/listen.sock; root {directory}/www; }}
}}
"""

    def serve(self, traced):
        """Starts nginx on a socket that listens already, loads it, stops it gracefully."""
        directory = tempfile.mkdtemp(dir=self.directory)
        os.mkdir(os.path.join(directory, "www"))
        for parent in (self.directory, directory):
            os.chmod(parent, 0o755)
        with open(os.path.join(directory, "www", "page"), "w", encoding="ascii") as file:
            file.write("a page of text\n" * 3000)
        config = os.path.join(directory, "nginx.conf")
        user = "user root;" if os.geteuid() == 0 else ""
        with open(config, "w", encoding="ascii") as file:
            file.write(self.CONFIG.format(directory=directory, user=user))
        path = os.path.join(directory, "listen.sock")
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(path)
            listener.listen(64)
            # NGINX names inherited sockets, as in an upgrade of the running binary: a client can
            # connect at once, there is nothing to wait for.
            environment = clean_environment({"NGINX": f"{listener.fileno()};"})
            traces = tempfile.mkdtemp(dir=self.directory)
            command = ["nginx", "-c", config, "-p", directory]
            if traced:
                pattern = os.path.join(traces, "%e.%p.%n.trace")
                command = [LASTREF, "run", "-o", pattern, "--", *command]
            server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                      env=environment, pass_fds=[listener.fileno()],
                                      start_new_session=True)
        try:
            answers = [self.get(path, gzip=i % 2 == 0) for i in range(self.REQUESTS)]
            with open(os.path.join(directory, "nginx.pid"), encoding="ascii") as file:
                os.kill(int(file.read()), signal.SIGQUIT)
            stdout, _ = server.communicate(timeout=HANG)
        finally:
            if server.poll() is None:
                os.killpg(server.pid, signal.SIGKILL)
                server.communicate()
        return answers, stdout, server.returncode, traces_in(traces)

    def get(self, path, gzip):
        """The SHA-256 of one answer's body."""
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(HANG)
            client.connect(path)
            encoding = "Accept-Encoding: gzip\r\n" if gzip else ""
            client.sendall(f"GET /page HTTP/1.1\r\nHost: x\r\n{encoding}"
                           "Connection: close\r\n\r\n".encode())
            answer = b"".join(iter(lambda: client.recv(65536), b""))
        head, _, body = answer.partition(b"\r\n\r\n")
        return head.split(b"\r\n")[0], hashlib.sha256(body).hexdigest()

    @needs("nginx")
    def test_two_workers_under_load(self):
        expected = self.serve(traced=False)
        actual = self.serve(traced=True)
        self.assertEqual(actual[:3], expected[:3])
        self.assertEqual(actual[2], 0)
        self.assertEqual({answer[0] for answer in actual[0]}, {b"HTTP/1.1 200 OK"})
        self.assertEqual(len(actual[3]), 3, "a master and two workers")
        self.assert_traces_complete(actual[3])
        for trace in actual[3]:
            Balance(trace)


if __name__ == "__main__":
    unittest.main()
