/** The same question, by every way that leads out of a sandbox, and without one. */
import type { Bench } from "../support/bench.ts";
import { type Contender, interleave } from "../support/interleave.ts";
import type { Line, Unit } from "../support/line.ts";
import type { Question } from "./client.ts";
import { connectionClient, openClient } from "./open-client.ts";
import { host, loopback, type Servers, startServers } from "./servers.ts";

/** Our Node is a part of every sandbox, so that both clients run on the same one. */
export const NODE_INSIDE = "/run/openshell/node";

/** Commands take tens of milliseconds, connections one or two: here more samples cost nothing. */
const SAMPLES_PER_ROUND = 10;

export interface Ways {
  readonly direct: Contender;
  readonly captured: Contender;
  readonly proxied: Contender;
  /** The name looked up in the sandbox. */
  readonly named: Contender;
}

/** A question without how it is to be asked. */
export type Asked = Pick<Question, "kind" | "bytes" | "kept">;

export interface Measurement {
  readonly unit?: Unit;
  /** Samples of each contender. Default: ten for each round of the bench. */
  readonly rounds?: number;
  /** From milliseconds to the unit. */
  readonly convert?: (ms: number) => number;
}

/** Opens a sandbox and both clients, and measures what `choose` makes of a question. */
export async function measureWays(
  bench: Bench,
  choose: (ways: (asked: Asked, label?: string) => Ways) => readonly Contender[],
  { unit, rounds = bench.rounds * SAMPLES_PER_ROUND, convert = (ms) => ms }: Measurement = {},
): Promise<readonly Line[]> {
  const { installation, authority } = bench;
  await using servers = await startServers(authority);
  const policy = installation.policyFile("connections", rules(servers.ports));
  const name = "connections";
  await installation.run("sandbox", "create", "--name", name, "--policy", policy);
  try {
    using inside = openClient(
      installation.command("sandbox", "exec", "-n", name, "--no-tty", "--", NODE_INSIDE, ...connectionClient),
    );
    using outside = openClient({
      file: process.execPath,
      args: connectionClient,
      ...(!("missing" in authority) && { env: { NODE_EXTRA_CA_CERTS: authority.file } }),
    });
    const ways = (asked: Asked, label = "") => {
      const question = { ...asked, host, port: portOf(asked.kind, servers.ports) };
      return {
        direct: {
          name: `${label}direct`,
          isReference: true,
          once: async () => convert(await outside.ask({ ...question, address: loopback })),
        },
        captured: { name: `${label}captured`, once: async () => convert(await inside.ask(question)) },
        proxied: {
          name: `${label}through the proxy`,
          once: async () => convert(await inside.ask({ ...question, proxy: true })),
        },
        named: { name: "the name looked up", once: () => inside.ask({ ...question, kind: "dns" }) },
      };
    };
    return await interleave(choose(ways), { rounds, ...(unit && { unit }) });
  } finally {
    await installation.run("sandbox", "delete", name);
  }
}

function portOf(kind: Question["kind"], ports: Servers["ports"]): number {
  return kind === "http" || kind === "https" ? (ports[kind] ?? 0) : ports.tcp;
}

/** Plain bytes are allowed as they are, requests one by one. */
function rules({ tcp, http, https }: Servers["ports"]) {
  const binaries = [{ path: NODE_INSIDE }];
  const inspected = [http, ...(https === undefined ? [] : [https])];
  return {
    bytes: { endpoints: [{ host, port: tcp }], binaries },
    requests: { endpoints: [{ host, ports: inspected, protocol: "rest", access: "read-only" }], binaries },
  };
}
