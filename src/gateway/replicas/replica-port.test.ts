/** A replica's port through the life of its replica: while nobody leads, while another one does, and when this one does. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect as connectHttp2, createSecureServer } from "node:http2";
import { type AddressInfo, connect, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { createServer as createTlsServer, connect as tlsConnect } from "node:tls";
import { authorityInFiles } from "../certificates/authority-place.ts";
import { type GatewayCertificates, loadCertificates } from "../certificates/gateway-certificates.ts";
import { ReplicaPort } from "./replica-port.ts";

const host = "127.0.0.1";

describe("a replica's port", () => {
  let certificates: GatewayCertificates;
  let directory: string;
  const ends: (() => unknown)[] = [];
  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), "openshell-replica-"));
    const places = { authority: authorityInFiles(directory), directory };
    certificates = await loadCertificates(places, { now: new Date(), user: "u" });
  });
  afterEach(async () => {
    for (const end of ends.splice(0).reverse()) await end();
    rmSync(directory, { recursive: true });
  });

  const open = async (allowHalfOpen = false) => {
    const port = new ReplicaPort({ allowHalfOpen });
    ends.push(() => port.close());
    return { port, address: { host, port: await port.listen({ host, port: 0 }) } };
  };
  /** An HTTP/2 server that says who it is. */
  const api = (name: string) => {
    const { serverKey: key, serverCertificate: cert } = certificates;
    const server = createSecureServer({ key, cert, allowHTTP1: true }, (_request, response) => response.end(name));
    ends.push(() => server.close());
    return server;
  };
  const listen = async (server: { listen(port: number, host: string): unknown } & Pick<Server, "address" | "once">) => {
    server.listen(0, host);
    await once(server as Server, "listening");
    return { host, port: (server.address() as AddressInfo).port };
  };
  const ask = async ({ port }: { port: number }) => {
    const session = connectHttp2(`https://localhost:${port}`, { ca: certificates.authority });
    ends.push(() => session.destroy());
    const stream = session.request({ ":path": "/" });
    let answer = "";
    for await (const chunk of stream) answer += chunk;
    session.close();
    return answer;
  };

  it("holds what connects while nobody leads, and passes it on to who does then", async () => {
    const { port, address } = await open();
    const answered = ask(address);
    const leader = api("the leader");
    port.passTo(await listen(leader));
    assert.equal(await answered, "the leader");
  });

  it("serves what connects, and what it held, once its own gateway leads", async () => {
    const { port, address } = await open();
    const gone = createServer();
    const place = await listen(gone);
    await new Promise((resolve) => gone.close(resolve));
    // Who led is not there any more, and nobody knows yet.
    port.passTo(place);
    const held = ask(address);
    assert.equal(port.serve(api("this one")), address.port);
    assert.equal(await held, "this one");
    assert.equal(await ask(address), "this one");
  });

  it("keeps each direction of a supervisor's connection apart, passed on or served", async () => {
    const { serverKey: key, serverCertificate: cert } = certificates;
    // Answers only what has ended.
    const echo = () => {
      const server = createTlsServer({ key, cert, allowHalfOpen: true }, (socket) => {
        let heard = "";
        socket.on("error", () => {});
        socket.on("data", (chunk) => (heard += chunk)).on("end", () => socket.end(heard));
      });
      ends.push(() => server.close());
      return server;
    };
    const say = async ({ port }: { port: number }) => {
      const raw = connect({ host, port, allowHalfOpen: true });
      const socket = tlsConnect({ socket: raw, ca: certificates.authority, servername: "localhost" });
      socket.end("all that I have to say");
      let answer = "";
      for await (const chunk of socket) answer += chunk;
      return answer;
    };
    const { port, address } = await open(true);
    const leader = echo();
    port.passTo(await listen(leader));
    assert.equal(await say(address), "all that I have to say");
    port.serve(echo());
    assert.equal(await say(address), "all that I have to say");
  });

  it("closes in bounded time, whoever is still connected", async () => {
    const { port, address } = await open();
    const socket = connect(address);
    await once(socket, "connect");
    const closed = once(socket, "close");
    await port.close();
    await closed;
  });
});
