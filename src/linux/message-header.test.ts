import assert from "node:assert/strict";
import { closeSync, fstatSync, openSync, readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { SystemError } from "./libc.ts";
import { passCredentials, receiveDescriptors, sendDescriptors } from "./message-header.ts";
import { openPipe, openSocketPair } from "./socket.ts";

/** A pair of sockets for the time of a test. */
function withPair(use: (one: number, other: number) => void): void {
  const pair = openSocketPair();
  try {
    use(...pair);
  } finally {
    for (const fd of pair) closeSync(fd);
  }
}

describe("descriptors sent over a Unix socket", () => {
  it("arrive as other numbers for the same files, close-on-exec, with the sender's process id", () => {
    withPair((one, other) => {
      passCredentials(other);
      const sent = [openSync(import.meta.filename, "r"), ...openPipe()];
      sendDescriptors(one, Buffer.from("x"), sent);
      const { data, fds, senderPid } = receiveDescriptors(other, 16, 8);
      assert.equal(data.toString(), "x");
      assert.equal(senderPid, process.pid);
      assert.deepEqual(
        fds.map((fd) => fstatSync(fd).ino),
        sent.map((fd) => fstatSync(fd).ino),
      );
      for (const fd of fds) assert.match(readFileSync(`/proc/self/fdinfo/${fd}`, "utf8"), /flags:\s+0?2\d{6}/);
      for (const fd of [...sent, ...fds]) closeSync(fd);
    });
  });

  it("are none in a message without", () => {
    withPair((one, other) => {
      sendDescriptors(one, Buffer.from("plain"), []);
      const { data, fds, senderPid } = receiveDescriptors(other, 16, 8);
      assert.deepEqual([data.toString(), fds, senderPid], ["plain", [], undefined]);
    });
  });

  it("that are more than expected are an error, not a part of them", () => {
    withPair((one, other) => {
      const file = openSync(import.meta.filename, "r");
      sendDescriptors(
        one,
        Buffer.from("x"),
        Array.from({ length: 20 }, () => file),
      );
      assert.throws(() => receiveDescriptors(other, 1, 2), /cut short/);
      closeSync(file);
    });
  });

  it("fail by name when the other end is gone", () => {
    const [one, other] = openSocketPair();
    closeSync(other);
    assert.throws(
      () => sendDescriptors(one, Buffer.from("x"), []),
      (error) => error instanceof SystemError && error.code === "EPIPE",
    );
    closeSync(one);
  });
});
