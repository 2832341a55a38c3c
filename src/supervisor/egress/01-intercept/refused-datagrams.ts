/**
 * Step 1, UDP other than DNS: the sandbox's rules refuse it at once, and the kernel traces it to here for the record.
 * Takes  the lines of `nft monitor trace` from the sandbox's network namespace; nft(8), TRACING.
 * Gives  nothing: a refused datagram does not come further.
 * Refuses intercept.udp, always.
 * Assumes that a sender may have ended when its line arrives; then the record has no program.
 */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { parseIpAddress } from "../../../net/address-class.ts";
import { hostOfAddress } from "../../../net/canonical-host.ts";
import { TOOLS_PATH } from "../../sandbox/launch.ts";
import type { Audit, RefusedDatagram } from "../11-audit.ts";
import type { Holder, Refusal, SocketPair } from "../connection.ts";
import { ReportRate } from "./report-rate.ts";

export interface DatagramWatchOptions {
  /** Host process id of a process in the sandbox's outer user namespace and network namespace. */
  readonly chainPid: number;
  readonly audit: Pick<Audit, "udpRefused">;
  /** Who has the UDP socket that is bound to this address and port. */
  readonly holdersOf: (client: SocketPair) => Promise<readonly Holder[]>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly signal: AbortSignal;
}

/** A program that retries, as QUIC does, is recorded once in this time for each destination. */
const REPEAT_MS = 10_000;
/** Destinations remembered for that; a scanner of addresses must not fill the memory. */
const MAX_REMEMBERED = 1_000;

/**
 * Starts watching, until the signal.
 * @returns settles when the watching process has ended and been collected
 */
export function watchRefusedDatagrams(options: DatagramWatchOptions): Promise<void> {
  const target = ["--user", "--net", "--preserve-credentials", "--target", String(options.chainPid)];
  // It ends with this process, also when that is killed: it would keep the network for as long as nobody sends a datagram.
  const nft = ["setpriv", "--pdeathsig", "KILL", "nft", "monitor", "trace"];
  const monitor = spawn("nsenter", [...target, ...nft], {
    stdio: ["ignore", "pipe", "ignore"],
    signal: options.signal,
    killSignal: "SIGKILL",
    env: { PATH: TOOLS_PATH },
  });
  // The watch is for the record only: without it UDP is refused all the same.
  monitor.on("error", () => undefined);
  const reports = new DatagramReports(options.now);
  createInterface({ input: monitor.stdout }).on("line", (line) => {
    const datagram = parseTrace(line);
    const unreported = datagram && reports.take(datagram.destination);
    if (datagram && unreported !== undefined) void record(datagram, unreported, options);
  });
  return new Promise((resolve) => monitor.once("close", () => resolve()));
}

/** What one line says, or undefined if it does not show a UDP packet. */
export function parseTrace(line: string): Omit<RefusedDatagram, "holders"> | undefined {
  const packet = / packet: .* saddr (\S+) .*?daddr (\S+) .* udp sport (\d+) udp dport (\d+)/.exec(line);
  if (!packet) return undefined;
  const [, source = "", target = "", sourcePort, targetPort] = packet;
  const local = parseIpAddress(source);
  const remote = parseIpAddress(target);
  if (!local || !remote) return undefined;
  return {
    client: {
      family: local.family,
      local: { address: local.text, port: Number(sourcePort) },
      remote: { address: remote.text, port: Number(targetPort) },
    },
    destination: { host: hostOfAddress(remote), port: Number(targetPort) },
  };
}

/** Which refused datagrams are put on record: not a scan of all addresses there are, which would fill the log. */
export class DatagramReports {
  readonly #now: () => number;
  readonly #recent = new Map<string, number>();
  readonly #rate: ReportRate;

  /** @param now monotonic milliseconds */
  constructor(now: () => number) {
    this.#now = now;
    this.#rate = new ReportRate(now);
  }

  /** Undefined if this one is not, else how many were held back before it, apart from repetitions. */
  take({ host, port }: RefusedDatagram["destination"]): number | undefined {
    const now = this.#now();
    const key = `${host} ${port}`;
    if (now - (this.#recent.get(key) ?? Number.NEGATIVE_INFINITY) < REPEAT_MS) return undefined;
    if (this.#recent.size >= MAX_REMEMBERED) this.#recent.clear();
    this.#recent.set(key, now);
    return this.#rate.take();
  }
}

async function record(
  datagram: Omit<RefusedDatagram, "holders">,
  unreported: number,
  options: DatagramWatchOptions,
): Promise<void> {
  const { host, port } = datagram.destination;
  const others = unreported === 0 ? "" : ` (${unreported} to other places before it are not recorded)`;
  const detail = `UDP to ${host} port ${port} does not leave a sandbox${others}`;
  const refusal: Refusal = { refused: "intercept.udp", detail };
  options.audit.udpRefused({ ...datagram, holders: await options.holdersOf(datagram.client) }, refusal);
}
