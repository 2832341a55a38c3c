/**
 * Reads a TLS ClientHello out of the first bytes of a connection: RFC 8446 sections 4.1.2 and 5.1, RFC 6066 section 3
 * (server_name), RFC 7301 (ALPN). Nothing is answered and nothing consumed; what the reader says is compared with where
 * the connection goes, so that what OpenSSL will make of the same bytes and what this makes of them must agree: anything
 * doubtful is malformed.
 */

export interface ClientHello {
  /** The name in server_name as written; absent if the client sent none. */
  readonly sni?: string;
  /** Protocols offered by ALPN, in the client's order; empty if there are none. */
  readonly alpn: readonly string[];
}

export type ClientHelloResult =
  | { readonly kind: "hello"; readonly hello: ClientHello }
  | { readonly kind: "incomplete" }
  | { readonly kind: "malformed"; readonly why: string };

const recordHeaderSize = 5;
const handshakeHeaderSize = 4;
const contentTypeHandshake = 22;
const handshakeClientHello = 1;
/** RFC 8446 section 5.1: a plaintext record's fragment is at most 2^14 bytes. */
const longestFragment = 16_384;
const extensionServerName = 0;
const extensionAlpn = 16;
const nameTypeHost = 0;

/**
 * The largest ClientHello that is read. Browsers send under 2 KiB, post-quantum key shares included; this leaves room for
 * session tickets and more. Beyond it the bytes count as malformed.
 */
export const clientHelloLimit = 32 * 1024;

class Malformed extends Error {}

/** Bytes that are read front to back; a read beyond the end is malformed. */
class Cursor {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  /** An unsigned number of `size` bytes. */
  number(size: 1 | 2): number {
    const bytes = this.take(size);
    return size === 1 ? bytes.readUInt8(0) : bytes.readUInt16BE(0);
  }

  take(length: number): Buffer {
    const end = this.#at + length;
    if (end > this.#bytes.length) throw new Malformed("a length points beyond the end");
    const bytes = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return bytes;
  }

  /** A vector: its length in `size` bytes, then so many bytes. */
  vector(size: 1 | 2): Cursor {
    return new Cursor(this.take(this.number(size)));
  }

  rest(): Buffer {
    return this.take(this.#bytes.length - this.#at);
  }
}

/** Whether bytes could be the beginning of a TLS connection; one byte is enough to tell from HTTP. */
export function looksLikeTls(bytes: Uint8Array): boolean {
  return bytes[0] === contentTypeHandshake && (bytes.length < 2 || bytes[1] === 3);
}

/** Reads the ClientHello at the start of `bytes`, which may hold more after it. Never throws. */
export function readClientHello(bytes: Buffer): ClientHelloResult {
  try {
    const message = joinFragments(bytes);
    if (message === undefined) return { kind: "incomplete" };
    return { kind: "hello", hello: parseHello(new Cursor(message)) };
  } catch (error) {
    if (error instanceof Malformed) return { kind: "malformed", why: error.message };
    throw error;
  }
}

/** The handshake message's body, put together from as many records as it takes; undefined if bytes are missing. */
function joinFragments(bytes: Buffer): Buffer | undefined {
  const fragments: Buffer[] = [];
  let gathered = 0;
  let needed = handshakeHeaderSize;
  for (let at = 0; gathered < needed; ) {
    checkRecordHeader(bytes, at);
    if (at + recordHeaderSize > bytes.length) return undefined;
    const length = bytes.readUInt16BE(at + 3);
    // RFC 8446 section 5.1 forbids empty fragments of handshake messages; endless ones would be a way to stall.
    if (length === 0 || length > longestFragment) throw new Malformed("a record's length is out of bounds");
    const fragment = bytes.subarray(at + recordHeaderSize, at + recordHeaderSize + length);
    fragments.push(fragment);
    gathered += fragment.length;
    if (gathered >= handshakeHeaderSize && needed === handshakeHeaderSize) needed = messageLength(fragments);
    at += recordHeaderSize + length;
    if (fragment.length < length) break;
  }
  if (gathered < needed) return undefined;
  return Buffer.concat(fragments).subarray(handshakeHeaderSize, needed);
}

/** Refuses as soon as the bytes that are there say that this is no handshake record. */
function checkRecordHeader(bytes: Buffer, at: number): void {
  if (at < bytes.length && bytes[at] !== contentTypeHandshake) throw new Malformed("not a handshake record");
  if (at + 1 < bytes.length && bytes[at + 1] !== 3) throw new Malformed("not a TLS version");
}

/** Length of the message with its header, from the header. */
function messageLength(fragments: readonly Buffer[]): number {
  const header = Buffer.concat(fragments);
  if (header[0] !== handshakeClientHello) throw new Malformed("not a ClientHello");
  const length = handshakeHeaderSize + header.readUIntBE(1, 3);
  if (length > clientHelloLimit) throw new Malformed("the ClientHello is too long");
  return length;
}

function parseHello(hello: Cursor): ClientHello {
  hello.take(2 + 32); // legacy_version, random
  hello.vector(1); // legacy_session_id
  hello.vector(2); // cipher_suites
  hello.vector(1); // legacy_compression_methods
  if (hello.isAtEnd) return { alpn: [] }; // TLS 1.2 allows a hello without extensions
  const extensions = hello.vector(2);
  if (!hello.isAtEnd) throw new Malformed("bytes follow the extensions");
  const seen = new Set<number>();
  let sni: string | undefined;
  let alpn: string[] = [];
  while (!extensions.isAtEnd) {
    const type = extensions.number(2);
    const body = extensions.vector(2);
    // RFC 8446 section 4.2: at most one of a type. With two names, two readers could choose different ones.
    if (seen.has(type)) throw new Malformed("an extension is repeated");
    seen.add(type);
    if (type === extensionServerName) sni = parseServerName(body);
    if (type === extensionAlpn) alpn = parseAlpn(body);
  }
  return sni === undefined ? { alpn } : { sni, alpn };
}

/** RFC 6066 allows a list, but of one name for each type, and only one type was ever defined. */
function parseServerName(body: Cursor): string {
  const list = body.vector(2);
  if (!body.isAtEnd) throw new Malformed("bytes follow the server name");
  if (list.number(1) !== nameTypeHost) throw new Malformed("a server name of unknown type");
  const name = list.vector(2).rest();
  if (!list.isAtEnd) throw new Malformed("more than one server name");
  if (name.length === 0) throw new Malformed("an empty server name");
  // Text for `canonicalHost`, which takes nothing that no name has. Latin-1 keeps every byte visible to it.
  return name.toString("latin1");
}

function parseAlpn(body: Cursor): string[] {
  const list = body.vector(2);
  if (!body.isAtEnd) throw new Malformed("bytes follow the protocol list");
  const protocols: string[] = [];
  while (!list.isAtEnd) protocols.push(list.vector(1).rest().toString("latin1"));
  return protocols;
}
