/**
 * Time that step 2 takes for a warm binary among 200 processes. Run by hand: `node bench/identify.ts`.
 * The target is under 3 ms.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openSocketDiagnostics } from "../src/linux/socket.ts";
import { hostOfAddress } from "../src/net/canonical-host.ts";
import { createIdentifyContext, identify } from "../src/supervisor/egress/02-identify/identify.ts";
import type { Intercepted } from "../src/supervisor/egress/connection.ts";

const processes = 200;
const rounds = 200;

const clientProgram =
  "const s=require('net').connect(+process.argv[1],'127.0.0.1');process.stdin.on('end',()=>process.exit());process.stdin.resume()";

const directory = await mkdtemp(join(tmpdir(), "openshell-bench-"));
const crowd = Array.from({ length: processes }, () => spawn("sleep", ["600"], { stdio: ["pipe", "pipe", "pipe"] }));
const server = createServer().listen(0, "127.0.0.1");
await once(server, "listening");
const { port } = server.address() as { port: number };
const client = spawn(process.execPath, ["-e", clientProgram, String(port)], { stdio: ["pipe", "inherit", "inherit"] });
const [socket] = (await once(server, "connection")) as [Socket];
const connection: Intercepted = {
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

await using context = await createIdentifyContext({
  procfs: "/proc",
  initPid: process.pid,
  sockDiag: openSocketDiagnostics(),
  firstUseFile: join(directory, "first-use.jsonl"),
});
const times: number[] = [];
for (let round = 0; round < rounds; round++) {
  const start = performance.now();
  const result = await identify(connection, context);
  times.push(performance.now() - start);
  if (!("holders" in result)) throw new Error(`not identified: ${JSON.stringify(result.refused)}`);
}
const cold = times[0] ?? 0;
times.sort((a, b) => a - b);
const at = (part: number) => (times[Math.floor(times.length * part)] ?? 0).toFixed(2);
console.log(`${processes} processes: first ${cold.toFixed(2)} ms, median ${at(0.5)} ms, p95 ${at(0.95)} ms`);

for (const child of [...crowd, client]) child.kill();
socket.destroy();
server.close();
await rm(directory, { recursive: true });
