/**
 * Step 1, policy DNS: gives each name a synthetic address, so that connecting to it is a connection to the name.
 * Takes  the sandbox's listeners on port 53, UDP and TCP, as descriptors.
 * Gives  answers; the connections that follow come in by transparent capture.
 * Refuses (by DNS's own codes) what is no query, no name, or no longer has room.
 * Assumes nothing about who asks. Nothing asked here leaves the machine, so that a name can't carry data out.
 */
import { createSocket, type RemoteInfo, type Socket as UdpSocket } from "node:dgram";
import { createServer, type Server, type Socket } from "node:net";
import { formatIpBytes } from "../../../net/ip-bytes.ts";
import type { DnsQuestion } from "../11-audit.ts";
import { answerQuery, type DnsNames } from "./dns-answer.ts";
import { answerLimit, readQuery, recordType, typeName, writeAnswer, writeError } from "./dns-message.ts";
import { ReportRate } from "./report-rate.ts";

/** Clients keep a TCP connection for a few queries; an idle one is closed (RFC 7766 section 6.2.3). */
const tcpIdleMs = 10_000;
/** TCP clients at a time; all are programs of the sandbox, and further ones wait in the listener's queue. */
const tcpConnectionsLimit = 64;
/** Bytes of a name in the log. */
const loggedNameLength = 255;

/** What else there is to say of a question. */
export interface QuestionReport {
  /** The address that was given. */
  readonly address?: string;
  /** Questions before this one that were not reported. */
  readonly unreported: number;
}

export interface PolicyDnsOptions {
  readonly names: DnsNames;
  /** Told of questions for the audit log; under a flood only of some, so that a program can't fill the disk with names. */
  readonly onQuestion: (question: DnsQuestion, report: QuestionReport) => void;
  /** Monotonic milliseconds. */
  readonly now?: () => number;
}

type Client = DnsQuestion["client"];

/** Answers on listeners until it is disposed of. */
export class PolicyDns implements Disposable {
  readonly #options: PolicyDnsOptions;
  readonly #rate: ReportRate;
  readonly #udp: UdpSocket[] = [];
  readonly #tcp: Server[] = [];
  readonly #clients = new Set<Socket>();

  constructor(options: PolicyDnsOptions) {
    this.#options = options;
    this.#rate = new ReportRate(options.now ?? (() => performance.now()));
  }

  [Symbol.dispose](): void {
    for (const socket of this.#udp) socket.close();
    for (const server of this.#tcp) server.close();
    for (const client of this.#clients) client.destroy();
  }

  /** Takes over a bound UDP socket. Resolves when it is listened on. */
  serveUdp(fd: number, family: 4 | 6): Promise<void> {
    const socket = createSocket(family === 4 ? "udp4" : "udp6");
    this.#udp.push(socket);
    socket.on("message", (message, client) => this.#answerDatagram(socket, message, client));
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    // After it listens, an error concerns a single datagram, such as one to a client that has gone.
    socket.on("error", reject);
    socket.bind({ fd }, resolve);
    return promise;
  }

  /** Takes over a listening TCP socket. */
  serveTcp(fd: number): Promise<void> {
    const server = createServer({ noDelay: true }, (client) => this.#serveClient(client));
    server.maxConnections = tcpConnectionsLimit;
    this.#tcp.push(server);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    server.on("error", reject);
    server.listen({ fd }, resolve);
    return promise;
  }

  #answerDatagram(socket: UdpSocket, message: Buffer, client: RemoteInfo): void {
    const answer = this.#answer(message, "udp", { address: client.address, port: client.port });
    if (answer !== undefined) socket.send(answer, client.port, client.address, ignore);
  }

  /** Two bytes of length before each message; RFC 1035 section 4.2.2. Queries are answered in order. */
  #serveClient(client: Socket): void {
    const from = { address: client.remoteAddress ?? "", port: client.remotePort ?? 0 };
    this.#clients.add(client);
    client.on("close", () => this.#clients.delete(client));
    client.on("error", ignore);
    client.setTimeout(tcpIdleMs, () => client.destroy());
    let pending: Buffer = Buffer.alloc(0);
    client.on("data", (piece: Buffer) => {
      pending = pending.length === 0 ? piece : Buffer.concat([pending, piece]);
      while (pending.length >= 2 && pending.length >= 2 + pending.readUInt16BE(0)) {
        const end = 2 + pending.readUInt16BE(0);
        const answer = this.#answer(pending.subarray(2, end), "tcp", from);
        pending = pending.subarray(end);
        if (answer !== undefined && !writeFramed(client, answer)) holdBack(client);
      }
    });
  }

  #answer(message: Buffer, transport: "udp" | "tcp", client: Client): Buffer | undefined {
    const read = readQuery(message);
    switch (read.kind) {
      case "ignore":
        return undefined;
      case "error":
        this.#report({ name: "", type: "", rcode: read.rcode, client });
        return writeError(read, read.rcode);
      case "query": {
        const answer = answerQuery(read.query, this.#options.names);
        const name = read.query.labels.join(".");
        const { type } = read.query;
        const given = type === recordType.ptr ? undefined : answer.records[0];
        this.#report({ name, type: typeName(type), rcode: answer.rcode, client }, given);
        return writeAnswer(read.query, answer, answerLimit(read.query, transport));
      }
      default:
        return read satisfies never;
    }
  }

  #report(question: DnsQuestion, given?: Uint8Array): void {
    const unreported = this.#rate.take();
    if (unreported === undefined) return;
    const name = question.name.slice(0, loggedNameLength).replace(/[^\x21-\x7e]/g, "?");
    const address = given === undefined ? {} : { address: formatIpBytes(given) };
    this.#options.onQuestion({ ...question, name }, { ...address, unreported });
  }
}

function writeFramed(client: Socket, answer: Buffer): boolean {
  const framed = Buffer.alloc(2 + answer.length);
  framed.writeUInt16BE(answer.length, 0);
  answer.copy(framed, 2);
  return client.write(framed);
}

/** A client that asks without reading answers is read no further until it does. */
function holdBack(client: Socket): void {
  client.pause();
  client.once("drain", () => client.resume());
}

function ignore(): void {}
