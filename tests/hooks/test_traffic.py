"""Real programs at work with the built-in packs: their output stays, their objects balance.

Balanced: nothing leaked and nothing misused but what the program truly keeps to its end, and (in one
thread) every true counter is what the events say."""

import os
import shutil
import signal
import socket
import ssl
import subprocess
import time
import unittest

from lastref_testing import (HANG, LASTREF, LastrefTest, clean_environment, findings, info, plain, report,
                             traces_in)

BUS_CONFIG = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:path={socket}</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/>
<allow own="*"/></policy></busconfig>
"""
NGINX_CONFIG = """
worker_processes 1; daemon off; error_log stderr error; pid {directory}/nginx.pid; {user}
events {{ worker_connections 64; }}
http {{
  access_log off; client_body_temp_path {directory}; proxy_temp_path {directory};
  fastcgi_temp_path {directory}; uwsgi_temp_path {directory}; scgi_temp_path {directory};
  server {{ listen unix:{directory}/listen.sock ssl; root {directory};
    ssl_certificate {directory}/cert.pem; ssl_certificate_key {directory}/key.pem; }}
}}
"""
FFMPEG = ["ffmpeg", "-hide_banner", "-loglevel", "error", "-nostdin", "-y"]
ASK_BUS = ["--dest=org.freedesktop.DBus", "/org/freedesktop/DBus",
           "org.freedesktop.DBus.ListNames"]


def needs(*tools):
    missing = [tool for tool in tools if not shutil.which(tool)]
    return unittest.skipIf(missing, "needs " + ", ".join(missing))


class Traffic(LastrefTest):
    def path(self, name):
        return os.path.join(self.directory, name)

    def hooked(self, traces, *types, one_thread=True):
        """The report, after checking that these types were seen and all of them."""
        result = report(traces)
        self.assert_complete(result)
        seen = {t["type"]: t for t in result["summary"]["hooked"]}
        for type in types:
            self.assertIn(type, seen)
            self.assertIsNone(seen[type]["partial"])
            if one_thread:
                self.assertEqual(seen[type]["unseen"], 0, type)
        return result, seen

    def assert_covered(self, type):
        """Nearly every step of the true counters has its event."""
        self.assertGreater(type["seen"] / (type["seen"] + type["unseen"]), 0.95, type)

    def assert_balanced(self, result, *types, kept=()):
        """No finding of these types, but leaks that were created by one of the functions `kept`."""
        for finding in findings(result):
            if finding["type"] not in types or finding["kind"] == "held":
                continue
            created = {frame["function"] for frame in finding["created"]}
            self.assertTrue(finding["kind"] == "refcount-leak" and created & set(kept), finding)

    def start(self, command, hooks, **options):
        """A server under lastref, and the pid of the program itself once it runs."""
        traces = self.path("server")
        os.mkdir(traces)
        server = subprocess.Popen(
            [LASTREF, "run", "-o", os.path.join(traces, "%e.%p.%n.trace"), "--hooks", hooks, "--",
             *command],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            start_new_session=True, **options)
        self.addCleanup(self.stop, server)
        return server, traces

    def stop(self, server):
        if server.poll() is None:
            os.killpg(server.pid, signal.SIGKILL)
        server.communicate()

    def connect_once(self, server, path):
        """As soon as it listens, a connection that says nothing."""
        while server.poll() is None:
            with socket.socket(socket.AF_UNIX) as client:
                try:
                    return client.connect(path)
                except (FileNotFoundError, ConnectionRefusedError):
                    time.sleep(0.02)
        self.fail(server.communicate()[1])

    def certificate(self):
        made = plain(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                      "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30", "-subj",
                      "/CN=localhost", "-keyout", self.path("key.pem"), "-out",
                      self.path("cert.pem")])
        self.assert_exits(made)


class Tls(Traffic):
    REQUESTS = 100

    @needs("openssl")
    def test_handshakes_of_client_and_server(self):
        self.certificate()
        name = "listen"  # s_server prints it, and can't print a long one
        server, traces = self.start(
            ["openssl", "s_server", "-unix", name, "-cert", self.path("cert.pem"), "-key",
             self.path("key.pem"), "-naccept", "5", "-www"], "openssl", cwd=self.directory)
        self.connect_once(server, self.path(name))  # and go away before the handshake: one of the five
        for version in ("-tls1_2", "-tls1_3", "-tls1_2", "-tls1_3"):
            client = self.run_program(
                ["openssl", "s_client", "-unix", name, "-CAfile", self.path("cert.pem"),
                 "-verify_return_error", "-ign_eof", version],
                options=["--hooks", "openssl"], input="GET / HTTP/1.0\r\n\r\n",
                cwd=self.directory)
            self.assert_exits(client)
            self.assertIn("Verification: OK", client.stdout)
            types = ("SSL", "SSL_CTX", "SSL_SESSION", "X509", "EVP_PKEY", "BIO")
            result, _ = self.hooked(client.traces, *types)
            self.assertEqual(result["summary"]["buffers"]["leaked"], 0)
            self.assert_balanced(result, *types)
        _, errors = server.communicate(timeout=HANG)
        self.assertEqual(server.returncode, 0, errors)
        result, seen = self.hooked(traces_in(traces), *types)
        self.assertEqual(result["summary"]["buffers"]["leaked"], 0)
        self.assertGreaterEqual(seen["SSL"]["seen"], 8)

    @needs("openssl")
    def test_parsing_certificates(self):
        self.certificate()
        with open(self.path("cert.pem"), encoding="ascii") as file:
            one = file.read()
        with open(self.path("bundle.pem"), "w", encoding="ascii") as file:
            file.write(one * 40)
        for command in (["x509", "-in", self.path("cert.pem"), "-noout", "-text"],
                        ["crl2pkcs7", "-nocrl", "-certfile", self.path("bundle.pem"), "-out",
                         self.path("bundle.p7")],
                        ["pkcs7", "-in", self.path("bundle.p7"), "-print_certs"],
                        ["verify", "-CAfile", self.path("bundle.pem"), self.path("cert.pem")]):
            with self.subTest(command=command[0]):
                expected = plain(["openssl", *command])
                run = self.run_program(["openssl", *command], options=["--hooks", "openssl"])
                self.assertEqual((run.status, run.stdout), (0, expected.stdout))
                result, _ = self.hooked(run.traces, "BIO")
                self.assertEqual(result["summary"]["buffers"]["leaked"], 0)
                self.assert_balanced(result, "X509", "EVP_PKEY", "BIO")

    @needs("openssl", "nginx")
    def test_nginx_with_tls_under_load(self):
        self.certificate()
        os.chmod(self.directory, 0o755)
        with open(self.path("page"), "w", encoding="ascii") as file:
            file.write("a page of text\n" * 300)
        with open(self.path("nginx.conf"), "w", encoding="ascii") as file:
            file.write(NGINX_CONFIG.format(directory=self.directory,
                                           user="user root;" if os.geteuid() == 0 else ""))
        context = ssl.create_default_context(cafile=self.path("cert.pem"))
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(self.path("listen.sock"))
            listener.listen(64)
            # An inherited socket, as in nginx's upgrades: clients can connect at once.
            server, traces = self.start(
                ["nginx", "-c", self.path("nginx.conf"), "-p", self.directory], "openssl",
                pass_fds=[listener.fileno()],
                env=clean_environment({"NGINX": f"{listener.fileno()};"}))
            for _ in range(self.REQUESTS):
                with socket.socket(socket.AF_UNIX) as plain_socket:
                    plain_socket.settimeout(HANG)
                    plain_socket.connect(self.path("listen.sock"))
                    with context.wrap_socket(plain_socket, server_hostname="localhost") as client:
                        client.sendall(b"GET /page HTTP/1.0\r\n\r\n")
                        answer = b"".join(iter(lambda: client.recv(65536), b""))
                self.assertTrue(answer.startswith(b"HTTP/1.1 200 OK"), answer[:100])
        with open(self.path("nginx.pid"), encoding="ascii") as file:
            os.kill(int(file.read()), signal.SIGQUIT)
        _, errors = server.communicate(timeout=HANG)
        self.assertEqual(server.returncode, 0, errors)
        result, seen = self.hooked(traces_in(traces), "SSL", "SSL_CTX", "X509", "EVP_PKEY")
        self.assertGreaterEqual(seen["SSL"]["seen"], 2 * self.REQUESTS)
        self.assert_balanced(result, "SSL", "SSL_SESSION")


class Bus(Traffic):
    # Kept for good by GLib's type system, and by GIO for its modules.
    KEPT = ("g_param_spec_pool_insert", "g_io_module_new")

    @needs("dbus-daemon", "dbus-send", "gdbus")
    def test_a_private_bus(self):
        with open(self.path("bus.conf"), "w", encoding="ascii") as file:
            file.write(BUS_CONFIG.format(socket=self.path("bus.sock")))
        daemon, traces = self.start(["dbus-daemon", "--config-file=" + self.path("bus.conf"),
                                     "--nofork", "--print-address=1", "--print-pid=1"], "dbus")
        address, pid = daemon.stdout.readline().strip(), daemon.stdout.readline().strip()
        self.assertTrue(address.startswith("unix:path="), address)
        bus = {"DBUS_SESSION_BUS_ADDRESS": address}
        for _ in range(3):
            run = self.run_program(["dbus-send", "--session", "--print-reply", *ASK_BUS],
                                   options=["--hooks", "dbus"], env=bus)
            self.assert_exits(run)
            self.assertIn("org.freedesktop.DBus", run.stdout)
            # Incoming messages are made by code that is not exported.
            result, seen = self.hooked(run.traces, "DBusMessage", one_thread=False)
            self.assertGreater(seen["DBusMessage"]["seen"], 10)
            self.assert_balanced(result, "DBusMessage")
        run = self.run_program(
            ["gdbus", "call", "--session", "--dest", "org.freedesktop.DBus", "--object-path",
             "/org/freedesktop/DBus", "--method", "org.freedesktop.DBus.ListNames"],
            options=["--hooks", "glib"], env=bus)
        self.assert_exits(run)
        # GIO has a thread for the bus: a reading of the counter may be a race there.
        result, seen = self.hooked(run.traces, "GObject", "GBytes", one_thread=False)
        self.assertGreater(seen["GObject"]["seen"], 100)
        self.assertGreater(seen["GVariant"]["seen"], 100)
        self.assert_covered(seen["GVariant"])
        # It may exit while that thread is still closing the stream.
        self.assert_balanced(result, "GObject", "GBytes",
                             kept=(*self.KEPT, "g_io_stream_close_async"))
        os.kill(int(pid), signal.SIGTERM)
        daemon.communicate(timeout=HANG)
        result, seen = self.hooked(traces_in(traces), "DBusMessage", one_thread=False)
        self.assertGreater(seen["DBusMessage"]["seen"], 100)
        self.assert_covered(seen["DBusMessage"])
        self.assert_balanced(result, "DBusMessage")

    @needs("gio")
    def test_a_program_of_gio(self):
        run = self.run_program(["gio", "info", "/etc/passwd"], options=["--hooks", "glib"])
        self.assert_exits(run)
        result, _ = self.hooked(run.traces, "GObject")
        self.assert_balanced(result, "GObject", kept=self.KEPT)


class Media(Traffic):
    JOBS = {
        "decode": ["-f", "md5", "-"],
        "filter": ["-filter_complex", "[0:v]split[a][b];[a]hflip[c];[c][b]hstack,scale=160:120[v]",
                   "-map", "[v]", "-f", "md5", "-"],
        "mux": ["-c", "copy", "-bitexact", "-f", "matroska", "-"],
    }

    @needs("ffmpeg")
    def test_ffmpeg_decodes_filters_and_muxes(self):
        clip = self.path("clip.avi")
        self.assert_exits(plain([*FFMPEG, "-f", "lavfi", "-i",
                                 "testsrc=duration=2:size=160x120:rate=25", "-f", "lavfi", "-i",
                                 "sine=duration=2", "-c:v", "mpeg4", "-c:a", "mp2", clip]))
        for threads in (1, 4):
            for job, arguments in self.JOBS.items():
                with self.subTest(job=job, threads=threads):
                    # Decoders, encoders and filters each have threads of their own.
                    count = str(threads)
                    command = [*FFMPEG, "-filter_threads", count, "-filter_complex_threads", count,
                               "-threads", count, "-i", clip, "-threads", count, *arguments]
                    expected = plain(command, binary=True)
                    run = self.run_program(command, options=["--hooks", "ffmpeg"], binary=True)
                    self.assertEqual((run.status, run.stdout), (0, expected.stdout))
                    if threads == 1:
                        self.assertRegex(info(run.traces[0]), r"(?m)^threads +1$")
                    result, seen = self.hooked(run.traces, "AVBuffer", one_thread=threads == 1)
                    self.assertGreater(seen["AVBuffer"]["seen"], 500)
                    self.assertEqual(result["summary"]["buffers"]["leaked"], 0)
                    self.assert_balanced(result, "AVBuffer")

    @needs("gst-launch-1.0")
    def test_gstreamer_pools_and_decodebin(self):
        """Buffers from pools are lives from taking to giving back: as many as there are frames."""
        video = self.path("clip.ogg")
        frames = 300
        pipelines = {
            "encode": ["videotestsrc", f"num-buffers={frames}", "!",
                       "video/x-raw,width=64,height=48", "!", "queue", "!", "theoraenc", "!",
                       "oggmux", "!", "filesink", "location=" + video],
            "decode": ["filesrc", "location=" + video, "!", "decodebin", "!", "videoconvert", "!",
                       "tee", "name=t", "!", "queue", "!", "appsink", "drop=true", "max-buffers=1",
                       "sync=false", "wait-on-eos=false", "t.", "!", "queue", "!", "fakesink"],
        }
        for name, pipeline in pipelines.items():
            with self.subTest(pipeline=name):
                run = self.run_program(["gst-launch-1.0", "-q", *pipeline],
                                       options=["--hooks", "gstreamer"])
                if run.status == 1 and "no element" in run.stderr:
                    self.skipTest(run.stderr)
                self.assert_exits(run)
                result, seen = self.hooked(run.traces, "GstMiniObject", one_thread=False)
                self.assertGreater(result["summary"]["buffers"]["created"], 2 * frames)
                self.assertLess(seen["GstMiniObject"]["unseen"],
                                seen["GstMiniObject"]["seen"] / 500)
                # Caps of pads' templates live as long as their elements' classes: for good.
                self.assert_balanced(result, "GstMiniObject",
                                     kept=("gst_static_caps_get", "gst_static_pad_template_get",
                                           "gst_pad_template_new", "gst_caps_new_empty"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
