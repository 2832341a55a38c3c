/** A real init in a process of its own, without a sandbox around what it starts, and the supervisor's link to it. */
import { spawn } from "node:child_process";
import type { Socket } from "node:net";
import { fileURLToPath } from "node:url";
import { FrameReader } from "../../init/protocol.ts";
import { createInitLink, type InitLink } from "../init-link.ts";

const fixture = fileURLToPath(new URL("../../init/serve.fixture.ts", import.meta.url));

/** Init ends when its link is closed. */
export function startUnconfinedInit(): { readonly init: InitLink; readonly pid: number } {
  const child = spawn(process.execPath, [fixture], { stdio: ["ignore", "inherit", "inherit", "pipe"] });
  const init = createInitLink(child.stdio[3] as Socket, new FrameReader(), () => {});
  return { init, pid: child.pid as number };
}
