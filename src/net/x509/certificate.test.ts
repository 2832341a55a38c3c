import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { describe, it } from "node:test";
import * as tls from "node:tls";
import fc from "fast-check";
import {
  createCertificateAuthority,
  issueLeaf,
  type LeafRequest,
  loadCertificateAuthority,
  privateKeyPem,
} from "./certificate-authority.ts";

const now = new Date();
const authority = createCertificateAuthority({ commonName: "Test CA", organization: "Test" }, { now, days: 10 });

function server(more: Partial<LeafRequest> = {}): LeafRequest {
  return {
    subject: { commonName: "api.example.test" },
    usage: "server",
    dnsNames: ["api.example.test"],
    ipAddresses: ["127.0.0.1", "::1"],
    validity: { now, days: 5 },
    ...more,
  };
}

describe("a certificate authority", () => {
  it("is one, and may not make others into one", () => {
    const certificate = new X509Certificate(authority.pem);
    assert.equal(certificate.ca, true);
    assert.equal(certificate.subject, "O=Test\nCN=Test CA");
    assert.ok(certificate.verify(authority.issuer.publicKey));
  });

  it("can be stored and loaded", () => {
    const keyPem = privateKeyPem(authority.issuer.privateKey);
    const loaded = loadCertificateAuthority(authority.issuer.subject, { pem: authority.pem, keyPem });
    const leaf = new X509Certificate(issueLeaf(loaded, server()).pem);
    assert.ok(leaf.checkIssued(new X509Certificate(authority.pem)));
    assert.equal(loaded.notAfter.getTime(), Math.floor(authority.notAfter.getTime() / 1000) * 1000);
  });

  it("refuses a certificate and a key that differ", () => {
    const other = createCertificateAuthority({ commonName: "Other" }, { now, days: 1 });
    const stored = { pem: authority.pem, keyPem: privateKeyPem(other.issuer.privateKey) };
    assert.throws(() => loadCertificateAuthority({ commonName: "Test CA" }, stored), /differ/);
  });
});

describe("a leaf certificate", () => {
  it("names its hosts and addresses and is signed by its authority", () => {
    const leaf = new X509Certificate(issueLeaf(authority, server()).pem);
    assert.ok(leaf.checkIssued(new X509Certificate(authority.pem)));
    assert.ok(leaf.verify(authority.issuer.publicKey));
    assert.equal(leaf.ca, false);
    assert.equal(leaf.checkHost("api.example.test"), "api.example.test");
    assert.equal(leaf.checkHost("other.example.test"), undefined);
    assert.equal(leaf.checkIP("127.0.0.1"), "127.0.0.1");
    assert.equal(leaf.checkIP("::1"), "::1");
    assert.deepEqual(leaf.keyUsage, ["1.3.6.1.5.5.7.3.1"]);
  });

  it("does not outlive its authority", () => {
    const leaf = new X509Certificate(issueLeaf(authority, server({ validity: { now, days: 400 } })).pem);
    assert.ok(leaf.validToDate.getTime() <= authority.notAfter.getTime());
  });

  it("has a serial number of its own", () => {
    const serials = Array.from(
      { length: 20 },
      () => new X509Certificate(issueLeaf(authority, server()).pem).serialNumber,
    );
    assert.equal(new Set(serials).size, 20);
    for (const serial of serials) assert.match(serial, /^[4-7][0-9A-F]{31}$/);
  });

  it("can be valid beyond 2050, which is written in another form", () => {
    const far = createCertificateAuthority({ commonName: "Far" }, { now, days: 40_000 });
    const leaf = new X509Certificate(issueLeaf(far, server({ validity: { now, days: 36_500 } })).pem);
    assert.equal(leaf.validToDate.getUTCFullYear(), new Date(now.getTime() + 36_500 * 86_400_000).getUTCFullYear());
  });

  it("carries names of any length and kind through OpenSSL's parser", () => {
    const label = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,40}[a-z0-9])?$/);
    const host = fc.array(label, { minLength: 1, maxLength: 5 }).map((labels) => `${labels.join(".")}.test`);
    const text = fc.string({ unit: "grapheme", minLength: 1, maxLength: 64 });
    fc.assert(
      fc.property(host, text, (name, organization) => {
        const subject = { commonName: "leaf", organization };
        const leaf = new X509Certificate(issueLeaf(authority, server({ subject, dnsNames: [name] })).pem);
        assert.ok(leaf.verify(authority.issuer.publicKey));
        assert.equal(leaf.checkHost(name), name);
      }),
      { numRuns: 50 },
    );
  });

  it("is accepted by a strict TLS client", async () => {
    const leaf = issueLeaf(authority, server());
    const listener = tls.createServer({ cert: leaf.pem, key: privateKeyPem(leaf.key) }, (socket) =>
      socket.end("hello"),
    );
    listener.listen(0, "127.0.0.1");
    await once(listener, "listening");
    const { port } = listener.address() as AddressInfo;
    const client = tls.connect({ port, host: "127.0.0.1", servername: "api.example.test", ca: authority.pem });
    const [data] = await once(client, "data");
    assert.equal(String(data), "hello");
    assert.equal(client.authorized, true);
    client.destroy();
    listener.close();
  });
});
