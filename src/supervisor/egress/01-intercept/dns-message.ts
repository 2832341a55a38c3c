/**
 * Reads DNS queries and writes answers to them; RFC 1035, with EDNS(0) as in RFC 6891. By hand, since the answer must
 * repeat the question byte for byte (its case carries randomness that resolvers check), and since a label may hold a dot,
 * which a reader that gives names as text confuses with two labels.
 */

/** Record types that are answered; the numbers are IANA's. */
export const recordType = { a: 1, ptr: 12, opt: 41, aaaa: 28 } as const;
/** Names of types for the log; others are shown as RFC 3597 writes them. */
const typeNames: ReadonlyMap<number, string> = new Map([
  [1, "A"],
  [2, "NS"],
  [5, "CNAME"],
  [6, "SOA"],
  [12, "PTR"],
  [15, "MX"],
  [16, "TXT"],
  [28, "AAAA"],
  [33, "SRV"],
  [35, "NAPTR"],
  [41, "OPT"],
  [64, "SVCB"],
  [65, "HTTPS"],
  [255, "ANY"],
  [257, "CAA"],
]);

export type Rcode = "NOERROR" | "FORMERR" | "SERVFAIL" | "NXDOMAIN" | "NOTIMP" | "REFUSED" | "BADVERS";
/** BADVERS is 16: its upper bits are in the OPT record (RFC 6891 section 6.1.3). */
const rcodes: Readonly<Record<Rcode, number>> = {
  NOERROR: 0,
  FORMERR: 1,
  SERVFAIL: 2,
  NXDOMAIN: 3,
  NOTIMP: 4,
  REFUSED: 5,
  BADVERS: 16,
};

const headerSize = 12;
const classInternet = 1;
const flagResponse = 0x8000;
const flagAuthoritative = 0x0400;
const flagTruncated = 0x0200;
const flagRecursionDesired = 0x0100;
const flagRecursionAvailable = 0x0080;
const opcodeMask = 0x7800;
/** Offset of the question's name, as a compression pointer; RFC 1035 section 4.1.4. */
const questionPointer = 0xc00c;
/** The most that a name takes in a message, its lengths and end included; RFC 1035 section 2.3.4. */
const longestName = 255;
/** Without EDNS an answer over UDP is at most this long; RFC 1035 section 2.3.4. */
const plainUdpSize = 512;
/** The most that is sent over UDP with EDNS, as the operators agreed on in 2020; fits every path without fragments. */
export const ednsUdpSize = 1232;

export interface DnsQuery {
  readonly id: number;
  /** Labels of the name, each byte one character; empty for the root. */
  readonly labels: readonly string[];
  readonly type: number;
  readonly isInternet: boolean;
  readonly recursionDesired: boolean;
  /** The question's bytes, repeated in the answer. */
  readonly question: Buffer;
  /** The client's EDNS version and how much it takes over UDP; absent if it speaks no EDNS. */
  readonly edns?: { readonly version: number; readonly udpSize: number };
}

/** What is known of a message that is no query for us; its answer repeats it. */
export interface UnreadQuery {
  readonly id: number;
  /** Opcode and RD, in their places. */
  readonly flags: number;
}

export type QueryResult =
  | { readonly kind: "query"; readonly query: DnsQuery }
  /** Answer with this code alone. */
  | ({ readonly kind: "error"; readonly rcode: Rcode } & UnreadQuery)
  /** Not answered: a response (two servers could answer each other for ever), or too short to have an id. */
  | { readonly kind: "ignore" };

/** Reads one message. Never throws. */
export function readQuery(message: Buffer): QueryResult {
  if (message.length < headerSize) return { kind: "ignore" };
  const id = message.readUInt16BE(0);
  const flags = message.readUInt16BE(2);
  if ((flags & flagResponse) !== 0) return { kind: "ignore" };
  const unread = { id, flags: flags & (opcodeMask | flagRecursionDesired) };
  if ((flags & opcodeMask) !== 0) return { kind: "error", rcode: "NOTIMP", ...unread };
  const malformed = { kind: "error", rcode: "FORMERR", ...unread } as const;
  // One question, and nothing but OPT besides: no resolver sends anything else (RFC 9619).
  if (message.readUInt16BE(4) !== 1 || message.readUInt32BE(6) !== 0) return malformed;
  const name = readName(message, headerSize);
  if (name === undefined || name.end + 4 > message.length) return malformed;
  const edns = readEdns(message, name.end + 4);
  if (edns === "malformed") return malformed;
  const query: DnsQuery = {
    id,
    labels: name.labels,
    type: message.readUInt16BE(name.end),
    isInternet: message.readUInt16BE(name.end + 2) === classInternet,
    recursionDesired: (flags & flagRecursionDesired) !== 0,
    question: Buffer.from(message.subarray(headerSize, name.end + 4)),
    ...(edns !== undefined && { edns }),
  };
  return { kind: "query", query };
}

/** A name without compression: there is nothing before a question that it could point to. */
function readName(message: Buffer, start: number): { labels: string[]; end: number } | undefined {
  const labels: string[] = [];
  for (let at = start; at < message.length && at - start < longestName; ) {
    const length = message[at] ?? 0;
    if (length === 0) return { labels, end: at + 1 };
    // Two upper bits set are a pointer, one is reserved.
    if (length > 63 || at + 1 + length > message.length) return undefined;
    labels.push(message.toString("latin1", at + 1, at + 1 + length));
    at += 1 + length;
  }
  return undefined;
}

/** The OPT record among the additional ones, of which the others (a signature, for one) are passed over. */
function readEdns(message: Buffer, start: number): DnsQuery["edns"] | "malformed" {
  let edns: DnsQuery["edns"];
  let at = start;
  for (let left = message.readUInt16BE(10); left > 0; left--) {
    const name = readName(message, at);
    const fixed = name?.end ?? message.length;
    if (name === undefined || fixed + 10 > message.length) return "malformed";
    if (message.readUInt16BE(fixed) === recordType.opt) {
      if (edns !== undefined || name.labels.length > 0) return "malformed";
      edns = { version: message[fixed + 5] ?? 0, udpSize: message.readUInt16BE(fixed + 2) };
    }
    at = fixed + 10 + message.readUInt16BE(fixed + 8);
    if (at > message.length) return "malformed";
  }
  return edns;
}

export interface DnsAnswer {
  readonly rcode: Rcode;
  /** Data of the answer's records, all of the question's type; see `nameData` for PTR. */
  readonly records: readonly Uint8Array[];
  /** Seconds. */
  readonly ttl: number;
}

/** How much of an answer fits. */
export function answerLimit(query: DnsQuery, transport: "udp" | "tcp"): number {
  if (transport === "tcp") return 65_535;
  if (query.edns === undefined) return plainUdpSize;
  return Math.min(Math.max(query.edns.udpSize, plainUdpSize), ednsUdpSize);
}

/** The response to a query. What is longer than `limit` is sent without records and with TC, so that TCP is tried. */
export function writeAnswer(query: DnsQuery, answer: DnsAnswer, limit: number): Buffer {
  const records = answer.records.map((data) => answerRecord(query.type, answer.ttl, data));
  const code = rcodes[answer.rcode];
  const opt = query.edns === undefined ? [] : [optRecord(code >> 4)];
  const sizes = [query.question, ...records, ...opt].reduce((sum, part) => sum + part.length, headerSize);
  const fits = sizes <= limit;
  const flags =
    flagAuthoritative |
    flagRecursionAvailable |
    (query.recursionDesired ? flagRecursionDesired : 0) |
    (fits ? 0 : flagTruncated);
  const counts = { questions: 1, answers: fits ? records.length : 0, additional: opt.length };
  return Buffer.concat([
    header(query.id, flags | (code & 0xf), counts),
    query.question,
    ...(fits ? records : []),
    ...opt,
  ]);
}

/** An error without a question, for messages that have none that can be read. */
export function writeError(query: UnreadQuery, rcode: Rcode): Buffer {
  return header(query.id, query.flags | (rcodes[rcode] & 0xf), { questions: 0, answers: 0, additional: 0 });
}

function header(id: number, flags: number, counts: { questions: number; answers: number; additional: number }): Buffer {
  const bytes = Buffer.alloc(headerSize);
  bytes.writeUInt16BE(id, 0);
  bytes.writeUInt16BE(flagResponse | flags, 2);
  bytes.writeUInt16BE(counts.questions, 4);
  bytes.writeUInt16BE(counts.answers, 6);
  bytes.writeUInt16BE(counts.additional, 10);
  return bytes;
}

function answerRecord(type: number, ttl: number, data: Uint8Array): Buffer {
  const bytes = Buffer.alloc(12 + data.length);
  bytes.writeUInt16BE(questionPointer, 0);
  bytes.writeUInt16BE(type, 2);
  bytes.writeUInt16BE(classInternet, 4);
  bytes.writeUInt32BE(ttl, 6);
  bytes.writeUInt16BE(data.length, 10);
  bytes.set(data, 12);
  return bytes;
}

/** RFC 6891 section 6.1.2: the class is our UDP size, the TTL holds the code's upper bits and version 0. */
function optRecord(upperRcode: number): Buffer {
  const bytes = Buffer.alloc(11);
  bytes.writeUInt16BE(recordType.opt, 1);
  bytes.writeUInt16BE(ednsUdpSize, 3);
  bytes[5] = upperRcode;
  return bytes;
}

/** A canonical name as record data: each label with its length, and the root's empty one. */
export function nameData(name: string): Buffer {
  const labels = name.split(".").map((label) => Buffer.from(`${String.fromCharCode(label.length)}${label}`, "latin1"));
  return Buffer.concat([...labels, Buffer.alloc(1)]);
}

/** A type's name for people. */
export function typeName(type: number): string {
  return typeNames.get(type) ?? `TYPE${type}`;
}
