import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { sandboxEnvironment } from "./environment.ts";

describe("the environment of a sandbox's programs", () => {
  it("names the proxy in both spellings, and what is reached without it", () => {
    const environment = sandboxEnvironment("box", {});
    for (const name of ["HTTP_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"]) {
      assert.equal(environment[name], "http://127.0.0.1:3128");
    }
    assert.equal(environment["NO_PROXY"], environment["no_proxy"]);
    assert.match(environment["NO_PROXY"] ?? "", /(^|,)localhost(,|$)/);
    // httpx raises "Invalid port" for them, before its caller has said a word.
    assert.doesNotMatch(environment["NO_PROXY"] ?? "", /[[\]]/);
  });

  it("gives every program that asks its own variable the same trust", () => {
    const environment = sandboxEnvironment("box", {});
    const bundles = [
      "SSL_CERT_FILE",
      "REQUESTS_CA_BUNDLE",
      "CURL_CA_BUNDLE",
      "GIT_SSL_CAINFO",
      "PIP_CERT",
      "DENO_CERT",
    ];
    assert.deepEqual([...new Set(bundles.map((name) => environment[name]))], ["/etc/openshell-tls/ca-bundle.crt"]);
    assert.equal(environment["NODE_EXTRA_CA_CERTS"], "/etc/openshell-tls/openshell-ca.crt");
  });

  it("has the user's own values over these, and nothing of the supervisor's", () => {
    const environment = sandboxEnvironment("box", { LANG: "de_DE.UTF-8", OWN: "1" });
    assert.equal(environment["LANG"], "de_DE.UTF-8");
    assert.equal(environment["OWN"], "1");
    assert.equal(environment["NODE_TEST_CONTEXT"], undefined);
  });

  it("has what an image sets, but for what would lead its programs past the doors", () => {
    const image = { PATH: "/opt/bin", COLOUR: "blue", HTTPS_PROXY: "http://other:1", SSL_CERT_FILE: "/own.pem" };
    const environment = sandboxEnvironment("box", { COLOUR: "red" }, image);
    assert.equal(environment["PATH"], "/opt/bin");
    assert.equal(environment["COLOUR"], "red");
    assert.equal(environment["HTTPS_PROXY"], "http://127.0.0.1:3128");
    assert.equal(environment["SSL_CERT_FILE"], "/etc/openshell-tls/ca-bundle.crt");
  });
});
