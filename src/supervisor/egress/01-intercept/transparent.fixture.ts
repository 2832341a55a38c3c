/**
 * Runs in a user and network namespace of its own (see transparent.test.ts): sets up the capture as a sandbox has it,
 * connects to some destinations, and prints as JSON what was intercepted and who was identified.
 */
import { execFileSync, spawn } from "node:child_process";
import { Resolver } from "node:dns/promises";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openListener, openSocketDiagnostics } from "../../../linux/socket.ts";
import { captureRules, linkCommands, linkCommands6 } from "../../sandbox/capture-rules.ts";
import { createIdentifyContext, identify } from "../02-identify/identify.ts";
import type { Audit } from "../11-audit.ts";
import { type Intercepted, isRefusal } from "../connection.ts";
import { PolicyDns } from "./policy-dns.ts";
import { SyntheticAddresses } from "./synthetic-addresses.ts";
import { serveCapturedClient } from "./transparent.ts";

execFileSync("ip", ["-batch", "-"], { input: linkCommands });
execFileSync("ip", ["-6", "-batch", "-"], { input: linkCommands6 });
execFileSync("nft", ["-f", "-"], { input: captureRules });

// Stands for init: any process of this network namespace that is not the client.
const init = spawn("sleep", ["60"], { stdio: "ignore" });
const directory = mkdtempSync(join(tmpdir(), "openshell-test-"));
const names = new SyntheticAddresses();
const dns = new PolicyDns({ names: { synthetic: names, hostname: "box", ipv6: true }, onQuestion: () => {} });
await dns.serveUdp(openListener({ transport: "udp", address: "127.0.0.1", port: 53 }), 4);
const context = await createIdentifyContext({
  procfs: "/proc",
  initPid: init.pid ?? 0,
  sockDiag: openSocketDiagnostics(),
  firstUseFile: join(directory, "first-use"),
});
const fallback = { ...context, sockDiag: undefined };

const outcomes: unknown[] = [];
const audit = { connectionRefused: (_: unknown, refusal: unknown) => outcomes.push(refusal) } as unknown as Audit;
const path = {
  async follow(connection: Intercepted) {
    const byDiag = await identify(connection, context);
    const byTables = await identify(connection, fallback);
    outcomes.push({
      destination: connection.destination,
      client: connection.client.remote,
      byDiag: isRefusal(byDiag) ? byDiag : byDiag.holders.map(({ pid }) => pid === process.pid),
      byTables: isRefusal(byTables) ? byTables : byTables.holders.map(({ pid }) => pid === process.pid),
    });
    connection.stream.destroy();
    return "closed" as const;
  },
  recheck: () => {},
  open: () => 0,
};

const servers = ["127.0.0.1", "::1"].map((address) =>
  createServer((socket) => serve(socket)).listen({ fd: openListener({ transport: "tcp", address, port: 3129 }) }),
);
let served = Promise.resolve();
function serve(socket: Socket): void {
  served = serveCapturedClient(socket, path, { sandboxName: "box", audit, newId: () => "1", now: () => 0, names });
}

const resolver = new Resolver();
resolver.setServers(["192.0.2.53"]);
const [ipv4 = ""] = await resolver.resolve4("Api.Example.test");
const [ipv6 = ""] = await resolver.resolve6("api.example.test");
for (const [host, port] of [
  [ipv4, 443],
  [ipv6, 8443],
  ["192.0.2.7", 22],
  ["2606:4700::1", 80],
  ["127.0.0.1", 3129],
] as const) {
  const client = connect(port, host);
  client.on("error", () => {});
  await new Promise((resolve) => client.on("close", resolve));
  await served;
}
console.log(JSON.stringify(outcomes));
for (const server of servers) server.close();
dns[Symbol.dispose]();
await context[Symbol.asyncDispose]();
init.kill();
rmSync(directory, { recursive: true });
