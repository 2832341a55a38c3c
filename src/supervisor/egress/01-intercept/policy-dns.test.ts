import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import { after, before, describe, it } from "node:test";
import { promisify } from "node:util";
import { openListener } from "../../../linux/socket.ts";
import type { DnsQuestion } from "../11-audit.ts";
import { PolicyDns, type QuestionReport } from "./policy-dns.ts";
import { SyntheticAddresses } from "./synthetic-addresses.ts";

const run = promisify(execFile);
const synthetic = new SyntheticAddresses();
const reports: (DnsQuestion & QuestionReport)[] = [];
const dns = new PolicyDns({
  names: { synthetic, hostname: "my-sandbox", ipv6: true },
  onQuestion: (question, report) => reports.push({ ...question, ...report }),
});
let port = 0;

/** A port that nobody uses, for UDP and TCP alike. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const found = (server.address() as AddressInfo).port;
  server.close();
  await once(server, "close");
  return found;
}

before(async () => {
  port = await freePort();
  await dns.serveUdp(openListener({ transport: "udp", address: "127.0.0.1", port }), 4);
  await dns.serveTcp(openListener({ transport: "tcp", address: "127.0.0.1", port }));
});
after(() => dns[Symbol.dispose]());

/** What dig prints; it checks ids, the question and the sections itself. */
async function dig(...args: string[]): Promise<string> {
  const { stdout } = await run("dig", ["@127.0.0.1", "-p", String(port), "+tries=1", "+time=3", ...args]);
  assert.doesNotMatch(stdout, /;; Warning:|[Mm]alformed|mismatch/, stdout);
  return stdout;
}

async function short(...args: string[]): Promise<string> {
  return (await dig("+short", ...args)).trim();
}

describe("policy DNS, asked by dig", () => {
  it("gives a name one address in each family, over UDP and TCP, in any case", async () => {
    const address = await short("api.example.test", "A");
    assert.match(address, /^198\.1[89]\.\d+\.\d+$/);
    assert.equal(await short("API.Example.TEST", "A"), address);
    assert.equal(await short("+tcp", "api.example.test.", "A"), address);
    const number = Number(address.split(".").at(-1));
    assert.equal(await short("api.example.test", "AAAA"), `2001:2::${number.toString(16)}`);
    assert.equal(await short("-x", address), "api.example.test.");
    assert.equal(await short("-x", `2001:2::${number.toString(16)}`), "api.example.test.");
  });

  it("repeats the question's case, by which resolvers recognise their own", async () => {
    assert.match(await dig("aPi.ExAmPlE.tEsT"), /^;aPi\.ExAmPlE\.tEsT\./m);
  });

  it("answers for the sandbox itself", async () => {
    assert.equal(await short("localhost", "A"), "127.0.0.1");
    assert.equal(await short("x.localhost", "AAAA"), "::1");
    assert.equal(await short("my-sandbox", "A"), "127.0.0.1");
    assert.equal(await short("-x", "127.0.0.1"), "localhost.");
  });

  it("has no other records", async () => {
    for (const type of ["HTTPS", "SVCB", "TXT", "MX", "NS", "SOA", "ANY", "TYPE65400"]) {
      const answer = await dig("api.example.test", type);
      assert.match(answer, /status: NOERROR/, type);
      assert.match(answer, /ANSWER: 0,/, type);
    }
  });

  it("has no names that are none", async () => {
    assert.match(await dig("127.0.0.1", "A"), /status: NXDOMAIN/);
    assert.match(await dig("a\\.b.test", "A"), /status: NXDOMAIN/);
    assert.match(await dig("a\\000b.test", "A"), /status: NXDOMAIN/);
    assert.match(await dig("a\\032b.test", "A"), /status: NXDOMAIN/);
    assert.match(await dig(".", "A"), /status: NXDOMAIN/);
    assert.match(await dig("-x", "198.19.255.255"), /status: NXDOMAIN/);
    assert.match(await dig("-x", "192.0.2.1"), /status: NXDOMAIN/);
  });

  it("speaks EDNS, with and without, and refuses its other versions", async () => {
    assert.match(await dig("+edns=0", "api.example.test"), /EDNS: version: 0, flags:; udp: 1232/);
    assert.doesNotMatch(await dig("+noedns", "api.example.test"), /EDNS/);
    assert.match(await dig("+edns=1", "+noednsneg", "api.example.test"), /status: BADVERS/);
    assert.match(await dig("+cookie", "+dnssec", "api.example.test"), /status: NOERROR/);
  });

  it("refuses other classes and operations", async () => {
    assert.match(await dig("CH", "version.bind", "TXT"), /status: REFUSED/);
    assert.match(await dig("+opcode=notify", "api.example.test"), /status: NOTIMP/);
  });

  it("reports each question, with the answer", async () => {
    reports.length = 0;
    const address = await short("reported.example.test", "A");
    const [report] = reports;
    assert.ok(report);
    const { client, ...rest } = report;
    const expected = { name: "reported.example.test", type: "A", rcode: "NOERROR", address, unreported: 0 };
    assert.deepEqual(rest, expected);
    assert.equal(client.address, "127.0.0.1");
  });

  it("answers several queries on one TCP connection, however they are cut", async () => {
    const client = connect(port, "127.0.0.1");
    await once(client, "connect");
    const query = Buffer.from("0001 0100 0001 0000 0000 0000 016104746573740000010001".replaceAll(" ", ""), "hex");
    const framed = Buffer.concat([Buffer.from([0, query.length]), query]);
    const stream = Buffer.concat([framed, framed, framed]);
    client.write(stream.subarray(0, 5));
    client.write(stream.subarray(5, framed.length + 1));
    client.write(stream.subarray(framed.length + 1));
    let heard = Buffer.alloc(0);
    const one = 2 + query.length + 16;
    for await (const piece of client) {
      heard = Buffer.concat([heard, piece]);
      if (heard.length >= 3 * one) break;
    }
    assert.equal(heard.length, 3 * one);
    client.destroy();
  });

  it("answers garbage with FORMERR or not at all, and goes on", async () => {
    const socket = createSocket("udp4");
    socket.bind(0, "127.0.0.1");
    await once(socket, "listening");
    socket.send(Buffer.from([1, 2, 3]), port, "127.0.0.1");
    // Says that there is a question, and has none.
    socket.send(Buffer.from("abcd01000001000000000000", "hex"), port, "127.0.0.1");
    const [answer] = (await once(socket, "message")) as [Buffer];
    assert.equal(answer.toString("hex", 0, 4), "abcd8101");
    socket.close();
    assert.match(await short("still.example.test"), /^198\.18\./);
  });
});
