/**
 * Requests that hide another request, as the literature on request smuggling knows them: CL.TE, TE.CL, TE.TE, CL.0,
 * chunk extensions, line ends, names and versions. In each, `GET /hidden` stands where one reader sees a body, or nothing,
 * and another reader a request. Sent with `Host: HOST`, for which the test puts its own.
 */

export interface SmugglingCase {
  readonly name: string;
  /** What the client sends; `HOST` stands for the connection's host and port. */
  readonly bytes: string;
  /**
   * `refused`: no whole request of it may leave. `forwarded`: it has one reading, in which the hidden request is a body.
   * `first-only`: an honest request in front passes, what follows it does not.
   */
  readonly expect: "refused" | "forwarded" | "first-only";
}

/** Its own host is short and fixed, so that lengths don't depend on the test's. */
const hidden = "GET /hidden HTTP/1.1\r\nHost: x\r\n\r\n";
const line = "POST /open HTTP/1.1\r\n";
const host = "Host: HOST\r\n";

/** A POST with these lines, and this body. */
const post = (fields: string, body: string): string => `${line}${host}${fields}\r\n${body}`;
const lastChunk = "0\r\n\r\n";
const asChunk = `${hidden.length.toString(16)}\r\n${hidden}\r\n${lastChunk}`;

/** Ways to write `Transfer-Encoding: chunked` that only some readers take for it. */
const transferEncodings: Readonly<Record<string, string>> = {
  "a space before the colon": "Transfer-Encoding : chunked",
  "a tab before the colon": "Transfer-Encoding\t: chunked",
  "a vertical tab before the value": "Transfer-Encoding:\u000bchunked",
  "a form feed before the value": "Transfer-Encoding:\u000cchunked",
  "a vertical tab after the value": "Transfer-Encoding: chunked\u000b",
  "a NUL before the value": "Transfer-Encoding: \u0000chunked",
  "a NUL after the value": "Transfer-Encoding: chunked\u0000",
  "a NUL within the name": "Transfer-Enco\u0000ding: chunked",
  "a non-breaking space before the value": "Transfer-Encoding: \u00a0chunked",
  "a byte 0x85 before the colon": "Transfer-Encoding\u0085: chunked",
  "a byte 0xff after the value": "Transfer-Encoding: chunked\u00ff",
  "a prefix on the coding": "Transfer-Encoding: xchunked",
  "a suffix on the coding": "Transfer-Encoding: chunkedx",
  "an unknown coding": "Transfer-Encoding: cow",
  "an empty coding": "Transfer-Encoding:",
  "only a comma": "Transfer-Encoding: ,",
  "a leading comma": "Transfer-Encoding: ,chunked",
  "a trailing comma": "Transfer-Encoding: chunked,",
  identity: "Transfer-Encoding: identity",
  "identity after chunked": "Transfer-Encoding: chunked, identity",
  "identity before chunked": "Transfer-Encoding: identity, chunked",
  "chunked twice in a list": "Transfer-Encoding: chunked, chunked",
  "gzip before chunked": "Transfer-Encoding: gzip, chunked",
  "chunked before gzip": "Transfer-Encoding: chunked, gzip",
  "deflate alone": "Transfer-Encoding: deflate",
  "a parameter": "Transfer-Encoding: chunked;q=1",
  "an empty parameter": "Transfer-Encoding: chunked;",
  "double quotes": 'Transfer-Encoding: "chunked"',
  "single quotes": "Transfer-Encoding: 'chunked'",
  brackets: "Transfer-Encoding: [chunked]",
  "a colon": "Transfer-Encoding: :chunked",
  "a line folded with a space": "Transfer-Encoding:\r\n chunked",
  "a line folded with a tab": "Transfer-Encoding:\r\n\tchunked",
  "a bare line feed before the value": "Transfer-Encoding:\n chunked",
  "a bare line feed in front": "X: x\nTransfer-Encoding: chunked",
  "a bare carriage return in front": "X: x\rTransfer-Encoding: chunked",
  "a bare carriage return after the value": "Transfer-Encoding: chunked\rX: x",
  "a name folded before the colon": "Transfer-Encoding\r\n : chunked",
  "a space in front of the name": " Transfer-Encoding: chunked",
  "a tab in front of the name": "\tTransfer-Encoding: chunked",
  "an underscore": "Transfer_Encoding: chunked",
  "a space for the hyphen": "Transfer Encoding: chunked",
  "two fields": "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
  "two fields, the second unknown": "Transfer-Encoding: chunked\r\nTransfer-Encoding: cow",
  "two fields, the first unknown": "Transfer-Encoding: cow\r\nTransfer-Encoding: chunked",
  "two fields, one in capitals": "Transfer-Encoding: chunked\r\nTRANSFER-ENCODING: identity",
  "a hop-by-hop name": "Transfer-Encoding: chunked\r\nConnection: Transfer-Encoding",
};

/** Ways to write `Content-Length: N` of which readers make different numbers. */
const contentLengths: Readonly<Record<string, string>> = {
  "a plus sign": "Content-Length: +N",
  "a minus sign": "Content-Length: -N",
  "a minus zero": "Content-Length: -0",
  "a list of the same": "Content-Length: N, N",
  "a list of two": "Content-Length: 0, N",
  "a list without a space": "Content-Length: N,0",
  "two numbers": "Content-Length: N N",
  "a hexadecimal number": "Content-Length: 0xN",
  "a fraction": "Content-Length: N.0",
  "an exponent": "Content-Length: Ne0",
  "an underscore in the number": "Content-Length: N_0",
  "a separator": "Content-Length: N;",
  "a letter after the number": "Content-Length: Nabc",
  quotes: 'Content-Length: "N"',
  "an empty value": "Content-Length:",
  "2^64 and something": "Content-Length: 18446744073709551620",
  "2^63 and something": "Content-Length: 9223372036854775812",
  "2^32 and something, with zeros in front": "Content-Length: 00000000004294967300",
  "other digits (UTF-8)": "Content-Length: \u00d9\u00a5",
  "a space before the colon": "Content-Length : N",
  "a tab before the colon": "Content-Length\t: N",
  "a vertical tab before the value": "Content-Length:\u000bN",
  "a NUL after the value": "Content-Length: N\u0000",
  "a folded line": "Content-Length:\r\n N",
  "a line folded from another field": "X: x\r\n Content-Length: N",
  "a bare line feed before the value": "Content-Length:\nN",
  "a bare line feed in front": "X: x\nContent-Length: N",
  "a bare carriage return in front": "X: x\rContent-Length: N",
  "an underscore": "Content_Length: N",
  "a space for the hyphen": "Content Length: N",
  "two fields, the same": "Content-Length: N\r\nContent-Length: N",
  "two fields, zero first": "Content-Length: 0\r\nContent-Length: N",
  "two fields, zero last": "Content-Length: N\r\nContent-Length: 0",
  "two fields in two spellings": "Content-Length: N\r\ncontent-length: 0",
  "beside its twin with an underscore": "Content-Length: N\r\nContent_Length: 0",
};

/** Chunked bodies of which two readers would see two ends. */
const chunks: Readonly<Record<string, string>> = {
  "a size with 0x": `0x5\r\nhello\r\n${lastChunk}`,
  "a size with a plus sign": `+5\r\nhello\r\n${lastChunk}`,
  "a size with a minus sign": `-5\r\nhello\r\n${lastChunk}`,
  "a size with a space in front": ` 5\r\nhello\r\n${lastChunk}`,
  "a size with a tab in front": `\t5\r\nhello\r\n${lastChunk}`,
  "a size with an underscore": `0_5\r\nhello\r\n${lastChunk}`,
  "a size with a dot": `5.0\r\nhello\r\n${lastChunk}`,
  "a size that is empty": `\r\nhello\r\n${lastChunk}`,
  "a size that is only an extension": `;x\r\nhello\r\n${lastChunk}`,
  "a size that is no number": `zz\r\nhello\r\n${lastChunk}`,
  "a size of 2^64 and five": `10000000000000005\r\nhello\r\n${lastChunk}`,
  "a size of 2^32 and five, too little data": `100000005\r\nhello\r\n${lastChunk}`,
  "a size with a NUL after it": `5\u0000\r\nhello\r\n${lastChunk}`,
  "a size line that ends in a bare line feed": `5\nhello\r\n${lastChunk}`,
  "a size line that ends in a bare carriage return": `5\rhello\r\n${lastChunk}`,
  "a size line with two carriage returns": `5\r\r\nhello\r\n${lastChunk}`,
  "an extension": `5;name=value\r\nhello\r\n${lastChunk}`,
  "an extension with a bare line feed": `5;\nhello\r\n${lastChunk}`,
  "an extension with a bare carriage return": `5;x=\ry\r\nhello\r\n${lastChunk}`,
  "an extension with a NUL": `5;x=\u0000\r\nhello\r\n${lastChunk}`,
  "an extension in quotes that hide a line end": `5;x="\r\nhello\r\n0\r\n\r\n${hidden}"\r\nhello\r\n${lastChunk}`,
  "data that is longer than its size": `5\r\nhello!\r\n${lastChunk}`,
  "data that is shorter than its size": `6\r\nhello\r\n${lastChunk}`,
  "data without a line end": `5\r\nhello${lastChunk}`,
  "data that ends in a bare line feed": `5\r\nhello\n${lastChunk}`,
  "data that ends in two bytes that are no line end": `5\r\nhelloXX${lastChunk}`,
  "a last chunk whose line ends in a bare line feed": "5\r\nhello\r\n0\n\n",
  "a trailer that folds": "5\r\nhello\r\n0\r\nX: a\r\n b\r\n\r\n",
  "a trailer with a space before the colon": "5\r\nhello\r\n0\r\nX : a\r\n\r\n",
  "a trailer without a colon": "5\r\nhello\r\n0\r\nGET /hidden HTTP/1.1\r\n\r\n",
  "a trailer that ends in a bare line feed": "5\r\nhello\r\n0\r\nX: a\n\r\n",
  "a trailer with a NUL": "5\r\nhello\r\n0\r\nX: a\u0000\r\n\r\n",
};

/** Whole heads that are not HTTP/1.1 as RFC 9112 has it; `hidden` follows each. */
const heads: Readonly<Record<string, string>> = {
  "bare line feeds only": `POST /open HTTP/1.1\nHost: HOST\nContent-Length: 5\n\nhello`,
  "a bare line feed after the request line": `POST /open HTTP/1.1\nHost: HOST\r\n\r\n`,
  "a bare line feed at the head's end": `POST /open HTTP/1.1\r\nHost: HOST\r\n\n`,
  "a bare carriage return after the request line": `POST /open HTTP/1.1\rHost: HOST\r\n\r\n`,
  "two carriage returns at a line's end": `POST /open HTTP/1.1\r\r\nHost: HOST\r\n\r\n`,
  "an empty line in front": `\r\nPOST /open HTTP/1.1\r\nHost: HOST\r\n\r\n`,
  "a bare line feed in front": `\nPOST /open HTTP/1.1\r\nHost: HOST\r\n\r\n`,
  "a space in front": ` POST /open HTTP/1.1\r\nHost: HOST\r\n\r\n`,
  "a NUL in front": `\u0000POST /open HTTP/1.1\r\nHost: HOST\r\n\r\n`,
  "two spaces after the method": `POST  /open HTTP/1.1\r\nHost: HOST\r\n\r\n`,
  "a tab after the method": `POST\t/open HTTP/1.1\r\nHost: HOST\r\n\r\n`,
  "a tab before the version": `POST /open\tHTTP/1.1\r\nHost: HOST\r\n\r\n`,
  "two spaces before the version": `POST /open  HTTP/1.1\r\nHost: HOST\r\n\r\n`,
  "a space after the version": `POST /open HTTP/1.1 \r\nHost: HOST\r\n\r\n`,
  "a space within the target": `POST /open /hidden HTTP/1.1\r\nHost: HOST\r\n\r\n`,
  "a version within the target": `POST /open HTTP/1.1 HTTP/1.1\r\nHost: HOST\r\n\r\n`,
  "no version (HTTP/0.9)": `GET /open\r\nHost: HOST\r\n\r\n`,
  "version 0.9": `GET /open HTTP/0.9\r\nHost: HOST\r\n\r\n`,
  "version 1.2": `POST /open HTTP/1.2\r\nHost: HOST\r\n\r\n`,
  "version 2.0": `POST /open HTTP/2.0\r\nHost: HOST\r\n\r\n`,
  "version 1.10": `POST /open HTTP/1.10\r\nHost: HOST\r\n\r\n`,
  "version 01.1": `POST /open HTTP/01.1\r\nHost: HOST\r\n\r\n`,
  "a version in small letters": `POST /open http/1.1\r\nHost: HOST\r\n\r\n`,
  "a version with a space": `POST /open HTTP/ 1.1\r\nHost: HOST\r\n\r\n`,
  "another protocol's version": `POST /open RTSP/1.1\r\nHost: HOST\r\n\r\n`,
  "a method in small letters": `post /open HTTP/1.1\r\nHost: HOST\r\n\r\n`,
  "a method with a colon": `PO:ST /open HTTP/1.1\r\nHost: HOST\r\n\r\n`,
  "a method with a NUL": `PO\u0000ST /open HTTP/1.1\r\nHost: HOST\r\n\r\n`,
  CONNECT: `CONNECT HOST HTTP/1.1\r\nHost: HOST\r\n\r\n`,
  TRACE: `TRACE /open HTTP/1.1\r\nHost: HOST\r\n\r\n`,
  "a target with a fragment": `POST /open#/hidden HTTP/1.1\r\nHost: HOST\r\n\r\n`,
  "a target with a NUL": `POST /open\u0000/hidden HTTP/1.1\r\nHost: HOST\r\n\r\n`,
  "a target with a byte beyond ASCII": `POST /open\u00e4 HTTP/1.1\r\nHost: HOST\r\n\r\n`,
  "a target without a slash": `POST open HTTP/1.1\r\nHost: HOST\r\n\r\n`,
  "an absolute target for another host": `POST http://other.invalid/open HTTP/1.1\r\nHost: HOST\r\n\r\n`,
  "an absolute target with user information": `POST http://x@HOST/open HTTP/1.1\r\nHost: HOST\r\n\r\n`,
  "an absolute target with another scheme": `POST ftp://HOST/open HTTP/1.1\r\nHost: HOST\r\n\r\n`,
  "no Host": `POST /open HTTP/1.1\r\nX: x\r\n\r\n`,
  "two Host fields": `POST /open HTTP/1.1\r\nHost: HOST\r\nHost: other.invalid\r\n\r\n`,
  "two equal Host fields": `POST /open HTTP/1.1\r\nHost: HOST\r\nHost: HOST\r\n\r\n`,
  "a Host with a space before the colon": `POST /open HTTP/1.1\r\nHost : HOST\r\n\r\n`,
  "a Host with a path": `POST /open HTTP/1.1\r\nHost: HOST/hidden\r\n\r\n`,
  "a Host with user information": `POST /open HTTP/1.1\r\nHost: x@HOST\r\n\r\n`,
  "a list of hosts": `POST /open HTTP/1.1\r\nHost: HOST, other.invalid\r\n\r\n`,
  "an empty Host": `POST /open HTTP/1.1\r\nHost:\r\n\r\n`,
  "a folded Host": `POST /open HTTP/1.1\r\nHost:\r\n HOST\r\n\r\n`,
  "another Host": `POST /open HTTP/1.1\r\nHost: other.invalid\r\n\r\n`,
  "a folded first field": `POST /open HTTP/1.1\r\n Host: HOST\r\n\r\n`,
  "a field without a colon": `POST /open HTTP/1.1\r\nHost: HOST\r\nGET /hidden HTTP/1.1\r\n\r\n`,
  "a field without a name": `POST /open HTTP/1.1\r\nHost: HOST\r\n: x\r\n\r\n`,
  "a name with a space": `POST /open HTTP/1.1\r\nHost: HOST\r\nX Y: x\r\n\r\n`,
  "a name in parentheses": `POST /open HTTP/1.1\r\nHost: HOST\r\n(X): x\r\n\r\n`,
  "a name with a byte beyond ASCII": `POST /open HTTP/1.1\r\nHost: HOST\r\nX\u00e9: x\r\n\r\n`,
  "a value with a NUL": `POST /open HTTP/1.1\r\nHost: HOST\r\nX: a\u0000b\r\n\r\n`,
  "a value with a bare carriage return": `POST /open HTTP/1.1\r\nHost: HOST\r\nX: a\rb\r\n\r\n`,
  "a value with a backspace": `POST /open HTTP/1.1\r\nHost: HOST\r\nX: a\bb\r\n\r\n`,
  "a value with a delete character": `POST /open HTTP/1.1\r\nHost: HOST\r\nX: a\u007fb\r\n\r\n`,
  "another path in X-Original-URL": `POST /open HTTP/1.1\r\nHost: HOST\r\nX-Original-URL: /hidden\r\n\r\n`,
  "another path in X-Rewrite-URL": `POST /open HTTP/1.1\r\nHost: HOST\r\nX-Rewrite-URL: /hidden\r\n\r\n`,
  "an unknown expectation": `POST /open HTTP/1.1\r\nHost: HOST\r\nExpect: 200-ok\r\nContent-Length: 0\r\n\r\n`,
  "two expectations": `POST /open HTTP/1.1\r\nHost: HOST\r\nExpect: 100-continue, x\r\nContent-Length: 0\r\n\r\n`,
  "an upgrade to another protocol": `GET /open HTTP/1.1\r\nHost: HOST\r\nConnection: upgrade\r\nUpgrade: tls/1.0\r\n\r\n`,
  "chunked in HTTP/1.0": `POST /open HTTP/1.0\r\nHost: HOST\r\nTransfer-Encoding: chunked\r\n\r\n${lastChunk}`,
  "the preface of HTTP/2": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
};

/** What has one reading only: it must pass, and what it carries must stay a body. */
const honest: Readonly<Record<string, string>> = {
  "a counted body": post(`Content-Length: ${hidden.length}\r\n`, hidden),
  "a counted body of a GET": `GET /open HTTP/1.1\r\n${host}Content-Length: ${hidden.length}\r\n\r\n${hidden}`,
  "a counted body of a DELETE": `DELETE /open HTTP/1.1\r\n${host}Content-Length: ${hidden.length}\r\n\r\n${hidden}`,
  "a counted body of an OPTIONS": `OPTIONS /open HTTP/1.1\r\n${host}Content-Length: ${hidden.length}\r\n\r\n${hidden}`,
  "zeros in front of the length": post(`Content-Length: 00${hidden.length}\r\n`, hidden),
  "a length with spaces around": post(`Content-Length:   ${hidden.length}  \r\n`, hidden),
  "a length with a tab in front": post(`Content-Length:\t${hidden.length}\r\n`, hidden),
  "a length named as hop-by-hop": post(`Content-Length: ${hidden.length}\r\nConnection: Content-Length\r\n`, hidden),
  "a Host named as hop-by-hop": post(`Content-Length: ${hidden.length}\r\nConnection: close, Host\r\n`, hidden),
  "one chunk": post("Transfer-Encoding: chunked\r\n", asChunk),
  "one chunk of a GET": `GET /open HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n${asChunk}`,
  "a coding without a space": post("Transfer-Encoding:chunked\r\n", asChunk),
  "a coding with a space after it": post("Transfer-Encoding: chunked \r\n", asChunk),
  "a coding's name in capitals": post("TRANSFER-ENCODING: chunked\r\n", asChunk),
  "a size in capitals with zeros": post("Transfer-Encoding: chunked\r\n", `000A\r\n0123456789\r\n${lastChunk}`),
  "a trailer": post("Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n"),
  "an offer of h2c": `GET /open HTTP/1.1\r\n${host}Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n`,
  "HTTP/1.0": `POST /open HTTP/1.0\r\n${host}Content-Length: ${hidden.length}\r\n\r\n${hidden}`,
  "an absolute target": `POST http://HOST/open HTTP/1.1\r\n${host}Content-Length: ${hidden.length}\r\n\r\n${hidden}`,
  "a Host in other letters": `POST /open HTTP/1.1\r\nhOsT: HOST\r\nContent-Length: ${hidden.length}\r\n\r\n${hidden}`,
  "a content coding that says chunked": post(
    `Content-Encoding: chunked\r\nContent-Length: ${hidden.length}\r\n`,
    hidden,
  ),
};

/** An honest request, and behind it on the same connection one that is refused. */
const followed: Readonly<Record<string, string>> = {
  "a hidden request in plain sight": post("Content-Length: 0\r\n", hidden),
  "a request behind a counted body": post("Content-Length: 5\r\n", `hello${hidden}`),
  "a request behind the last chunk": post("Transfer-Encoding: chunked\r\n", `5\r\nhello\r\n${lastChunk}${hidden}`),
  "a request behind a GET": `GET /open HTTP/1.1\r\n${host}\r\n${hidden}`,
  "half a request behind a body": post("Content-Length: 5\r\n", "helloGET /hid"),
  "bytes behind a body": post("Content-Length: 5\r\n", `hello\r\n\r\n${hidden}`),
};

export const smugglingCorpus: readonly SmugglingCase[] = [
  ...family("CL.TE: ", "refused", transferEncodings, (field) =>
    post(`Content-Length: 5\r\n${field}\r\n`, `${lastChunk}${hidden}`),
  ),
  ...family("TE.CL: ", "refused", transferEncodings, (field) => post(`${field}\r\nContent-Length: 4\r\n`, asChunk)),
  ...family("TE alone: ", "refused", except(transferEncodings, ["a hop-by-hop name"]), (field) =>
    post(`${field}\r\n`, asChunk),
  ),
  ...family("TE alone: ", "forwarded", only(transferEncodings, ["a hop-by-hop name"]), (field) =>
    post(`${field}\r\n`, asChunk),
  ),
  ...family("CL: ", "refused", contentLengths, (field) =>
    post(`${field.replaceAll("N", `${hidden.length}`)}\r\n`, hidden),
  ),
  ...family("chunks: ", "refused", chunks, (body) => post("Transfer-Encoding: chunked\r\n", `${body}${hidden}`)),
  ...family("head: ", "refused", heads, (head) => `${head}${hidden}`),
  ...family("one reading: ", "forwarded", honest, (bytes) => bytes),
  ...family("followed: ", "first-only", followed, (bytes) => bytes),
];

function family(
  prefix: string,
  expect: SmugglingCase["expect"],
  table: Readonly<Record<string, string>>,
  write: (text: string) => string,
): SmugglingCase[] {
  return Object.entries(table).map(([name, text]) => ({ name: prefix + name, bytes: write(text), expect }));
}

function only(table: Readonly<Record<string, string>>, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(Object.entries(table).filter(([name]) => names.includes(name)));
}

function except(table: Readonly<Record<string, string>>, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(Object.entries(table).filter(([name]) => !names.includes(name)));
}
