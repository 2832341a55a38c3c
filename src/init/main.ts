/**
 * The first program inside a sandbox: opens the listening sockets, hands them out, closes the doors that are left, then
 * starts programs as the supervisor asks. Holds nothing secret, and is assumed hostile by the supervisor.
 */
import { readSync } from "node:fs";
import { Socket } from "node:net";
import { releaseStartupPages } from "../linux/startup-pages.ts";
import { collectOrphans } from "./collect-orphans.ts";
import { handOut, openListeners } from "./listeners.ts";
import { type Configuration, encodeJsonFrame, FrameReader, frame } from "./protocol.ts";
import { restrict, restrictCalls, restrictEarly } from "./restrict.ts";
import { serve } from "./serve.ts";
import { supervisorLink } from "./supervisor-link.ts";

/** By then the first program has been started, if there is one to start at once. */
const SETTLED_MS = 1_000;

/** Reads the one frame that the supervisor sends before init answers anything. */
function readConfiguration(link: number): Configuration {
  const reader = new FrameReader();
  const bytes = Buffer.alloc(64 * 1024);
  for (;;) {
    const length = readSync(link, bytes);
    if (length === 0) process.exit(1);
    const [first] = reader.push(Buffer.from(bytes.subarray(0, length)));
    if (first) return JSON.parse(first.payload.toString()) as Configuration;
  }
}

// Agents say `pkill node`; what they then mean is not this.
process.title = "openshell-init";
const descriptor = supervisorLink(process.argv[2]);
const configuration = readConfiguration(descriptor);
if (configuration.supervisorPid !== undefined) {
  restrictEarly();
  collectOrphans();
}
const listeners = openListeners();
const filterListener = restrictCalls(configuration);
handOut(listeners, filterListener, descriptor);
const link = new Socket({ fd: descriptor, readable: true, writable: true });
try {
  link.write(encodeJsonFrame(frame.ready, 0, restrict(configuration, filterListener !== undefined)));
  serve(link, configuration.supervisorPid);
  setTimeout(releaseStartupPages, SETTLED_MS).unref();
} catch (error) {
  const message = error instanceof Error ? error.message : String(error);
  link.end(encodeJsonFrame(frame.failed, 0, { code: "EPERM", message }), () => process.exit(1));
}
