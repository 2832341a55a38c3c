/** Step 2 of the decision path: finding the program at the other end, among many. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openSocketDiagnostics } from "../src/linux/socket.ts";
import { hostOfAddress } from "../src/net/canonical-host.ts";
import {
  createIdentifyContext,
  type IdentifyContext,
  identify,
} from "../src/supervisor/egress/02-identify/identify.ts";
import type { Intercepted } from "../src/supervisor/egress/connection.ts";
import type { Row } from "./support/bench.ts";
import { interleave } from "./support/interleave.ts";

const PROCESSES = 200;
const SAMPLES_PER_ROUND = 10;

const clientProgram =
  "const s=require('net').connect(+process.argv[1],'127.0.0.1');process.stdin.on('end',()=>process.exit());process.stdin.resume()";

export const identifyHolder: Row = {
  name: "identify",
  title: `whose connection it is, among ${PROCESSES} processes`,
  target: "under 3 ms for a warm binary",
  measure: async ({ rounds }) => {
    const directory = await mkdtemp(join(tmpdir(), "openshell-bench-"));
    const children: ChildProcess[] = Array.from({ length: PROCESSES }, () =>
      spawn("sleep", ["600"], { stdio: ["pipe", "pipe", "pipe"] }),
    );
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as { port: number };
    children.push(
      spawn(process.execPath, ["-e", clientProgram, String(port)], { stdio: ["pipe", "ignore", "inherit"] }),
    );
    const [socket] = (await once(server, "connection")) as [Socket];
    const connection = interceptedFrom(socket);
    await using context = await createIdentifyContext({
      procfs: "/proc",
      initPid: process.pid,
      sockDiag: openSocketDiagnostics(),
      firstUseFile: join(directory, "first-use.jsonl"),
    });
    const start = performance.now();
    await identifyOnce(connection, context);
    const first = performance.now() - start;
    const lines = await interleave([{ name: "warm binary", once: () => identifyOnce(connection, context) }], {
      rounds: rounds * SAMPLES_PER_ROUND,
    });
    for (const child of children) child.kill();
    socket.destroy();
    server.close();
    await rm(directory, { recursive: true });
    return [...lines, { name: "first time, its digest included", unit: "ms", samples: [first] }];
  },
};

async function identifyOnce(connection: Intercepted, context: IdentifyContext): Promise<void> {
  const result = await identify(connection, context);
  if (!("holders" in result)) throw new Error(`not identified: ${JSON.stringify(result.refused)}`);
}

function interceptedFrom(socket: Socket): Intercepted {
  return {
    id: "bench",
    listener: "proxy",
    stream: socket,
    client: {
      family: 4,
      local: { address: socket.remoteAddress ?? "", port: socket.remotePort ?? 0 },
      remote: { address: socket.localAddress ?? "", port: socket.localPort ?? 0 },
    },
    destination: { host: hostOfAddress({ family: 4, text: "192.0.2.1" }), port: 443 },
    asked: "bench",
    awaiting: "nothing",
    startedAt: Date.now(),
  };
}
