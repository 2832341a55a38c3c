import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { systemCertificates } from "../../net/system-certificates.ts";
import { parseProxyAddress } from "./proxy-address.ts";
import { readUpstream } from "./read-upstream.ts";

const directory = mkdtempSync(join(tmpdir(), "openshell-upstream-"));
after(() => rmSync(directory, { recursive: true }));

/** What is read where the file says this; no file if undefined. */
function read(yaml: string | undefined, environment: Record<string, string> = {}) {
  rmSync(join(directory, "upstream.yaml"), { force: true });
  if (yaml !== undefined) writeFileSync(join(directory, "upstream.yaml"), yaml);
  return readUpstream(directory, environment);
}

describe("the way to the network outside", () => {
  it("is direct where nobody says otherwise", () => {
    assert.deepEqual(read(undefined), {
      settings: { proxies: {}, noProxy: [], resolve: "local", clientCertificates: [] },
      extraCertificates: "",
    });
  });

  it("is said by the environment, in lower case first", () => {
    const { settings } = read(undefined, {
      HTTPS_PROXY: "http://big.example:1",
      https_proxy: "http://me:s%40cret@proxy.example:3128",
      HTTP_PROXY: "plain.example:8080",
      NO_PROXY: "corp.example, 10.0.0.0/8,,?",
    });
    const authorization = `Basic ${Buffer.from("me:s@cret").toString("base64")}`;
    assert.deepEqual(settings.proxies, {
      https: { host: "proxy.example", port: 3128, authorization },
      http: { host: "plain.example", port: 8080 },
    });
    assert.deepEqual(settings.noProxy, ["corp.example", "10.0.0.0/8"]);
  });

  it("is said by the file before the environment", () => {
    const environment = { https_proxy: "http://a.example:1", no_proxy: "x.example" };
    const { settings } = read("{ proxy: 'http://b.example:2', no_proxy: [y.example], resolve: proxy }", environment);
    assert.equal(settings.proxies.https?.host, "b.example");
    assert.equal(settings.proxies.http?.host, "b.example");
    assert.deepEqual([settings.noProxy, settings.resolve], [["y.example"], "proxy"]);
    assert.deepEqual(read("proxy: none", environment).settings.proxies, {});
  });

  it("has the authorities of the file and of the variables", () => {
    const pem = (name: string) => `-----BEGIN CERTIFICATE-----\n${name}\n-----END CERTIFICATE-----\n`;
    for (const name of ["one", "two", "three"]) writeFileSync(join(directory, `${name}.pem`), pem(name));
    const { extraCertificates } = read("extra_ca: [one.pem]", {
      SSL_CERT_FILE: join(directory, "two.pem"),
      NODE_EXTRA_CA_CERTS: join(directory, "three.pem"),
    });
    assert.equal(extraCertificates, pem("one") + pem("two") + pem("three"));
  });

  it("has no authority of the system's twice", () => {
    writeFileSync(join(directory, "system.pem"), systemCertificates());
    assert.equal(read(undefined, { SSL_CERT_FILE: join(directory, "system.pem") }).extraCertificates, "");
  });

  for (const [what, yaml, problem] of [
    ["an unknown key", "proxi: x", /upstream\.yaml:1:1: error: proxi: .*did you mean `proxy`/],
    ["a proxy of another kind", "no_proxy: []\nproxy: socks5://p.example:1", /upstream\.yaml:2:8: .*only HTTP proxies/],
    ["no proxy at all", "proxy: 'http://'", /upstream\.yaml:1:8: error: proxy: is no proxy/],
    ["an entry that is none", "no_proxy: [a.example, 'b c']", /no_proxy\[1\]: is no name, address or block/],
    ["an authority that is not there", "extra_ca: [nowhere.pem]", /extra_ca\[0\]: can't be read: ENOENT/],
    ["a certificate without a key", "client_certificates: [{ host: a.example, cert: c }]", /`key` is missing/],
    ["a file that is no YAML", "proxy: [", /upstream\.yaml:\d+:\d+: error: is no plain YAML/],
  ] as const) {
    it(`is refused with ${what}`, () => assert.throws(() => read(yaml), problem));
  }

  it("is refused with a variable that can't be meant, of which a password is not repeated", () => {
    assert.throws(
      () => read(undefined, { https_proxy: "https://me:hunter2@p.example" }),
      (error: Error) => /^.*\nhttps_proxy: only HTTP/.test(error.message) && !error.message.includes("hunter2"),
    );
  });
});

describe("a proxy's address", () => {
  it("has a user that may lack a password, and a usual port", () => {
    const authorization = `Basic ${Buffer.from("me:").toString("base64")}`;
    assert.deepEqual(parseProxyAddress("me@p.example"), { host: "p.example", port: 1080, authorization });
    assert.deepEqual(parseProxyAddress("http://[fd00::1]:3128/"), { host: "fd00::1", port: 3128 });
  });

  for (const wrong of ["", "http://p.example:0", "http://a%3ab:c@p.example", "http://%zz@p.example", "p.example/x"]) {
    it(`is not ${JSON.stringify(wrong)}`, () => assert.equal(typeof parseProxyAddress(wrong), "string"));
  }
});
