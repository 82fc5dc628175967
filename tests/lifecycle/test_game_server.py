"""The demonstration: 1,000 hellos over a real socket, with the fault and without it."""

import os
import subprocess
import unittest

from lastref_testing import HANG, findings, program, report, run, text_report
from expected import LifecycleTest, line_of

REQUESTS = 1000


class GameServer(LifecycleTest):
    def serve(self, retains):
        """The report of a server that served one client, and its traces."""
        port = os.path.join(self.directory, "port")
        os.mkfifo(port)  # the client waits for the server here, and the server for the client
        client = subprocess.Popen(
            [program("game_server/game_client"), "--port-file", port, "--requests", str(REQUESTS)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(client.kill)
        server = run([program("game_server/game_server"), "--port-file", port, "--sessions", "1",
                      "--retains", str(retains)], out=self.directory)
        output, errors = client.communicate(timeout=HANG)
        self.assertEqual((client.returncode, output), (0, f"{REQUESTS} hellos answered\n"), errors)
        self.assert_exits(server)
        self.assertEqual(len(server.traces), 1)
        found = report(server.traces)
        self.assert_complete(found)
        return server, found

    def test_leaking(self):
        server, found = self.serve(retains=2)
        self.assertIn("at the end: buffers 1000, used 250.0 KiB", server.stdout)
        self.assert_findings(found, {("refcount-leak", "ByteBuf"): REQUESTS})
        self.assertEqual(found["summary"]["buffers"],
                         {"created": 2 * REQUESTS, "ended": REQUESTS, "leaked": REQUESTS})

        leak = findings(found, "refcount-leak", "ByteBuf")[0]
        self.assertEqual(leak["count"], REQUESTS)
        self.assertEqual(leak["bytes"], 256 * REQUESTS)
        self.assertEqual(leak["final_count"], {"min": 1, "max": 1})
        self.assert_frame(leak["created"], "MahjongProtocolEncoder::encode",
                          "protocol_encoder.cpp",
                          line_of("game_server/protocol_encoder.cpp", "ByteBuf::allocate"))
        self.assertEqual(self.operations(leak),
                         ["create", "retain", "retain", "release", "release"])
        # The pipeline is in the history, and the frame encoder's line among the first suspects.
        history = [f for e in leak["example"]["events"] for f in e["stack"]]
        for function in ("MahjongProtocolEncoder::encode", "BinaryWebSocketFrameEncoder::encode",
                         "OutboundPipeline::write", "OutboundPipeline::written"):
            self.assert_frame(history, function)
        first = [f for suspect in leak["suspects"][:3]
                 for f in [suspect["frame"], *suspect["stack"]]]
        self.assert_frame(first, "BinaryWebSocketFrameEncoder::encode", "frame_encoder.cpp",
                          line_of("game_server/frame_encoder.cpp", "message.retain();"))

        text = text_report(server.traces)
        self.assertTrue(text.startswith("LEAK  1000 buffers of type ByteBuf, 250.0 KiB, count 1"),
                        text)
        self.assertIn("frame_encoder.cpp", text)

    def test_fixed(self):
        server, found = self.serve(retains=1)
        self.assertIn("at the end: buffers 0, used 0.0 KiB", server.stdout)
        self.assert_findings(found, {})
        self.assertEqual(found["summary"]["buffers"],
                         {"created": 2 * REQUESTS, "ended": 2 * REQUESTS, "leaked": 0})


if __name__ == "__main__":
    unittest.main(verbosity=2)
