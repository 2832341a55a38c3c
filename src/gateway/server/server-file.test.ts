import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { authorityInFiles } from "../certificates/authority-place.ts";
import { loadCertificates } from "../certificates/gateway-certificates.ts";
import { readServerSettings } from "./server-file.ts";

describe("server.yaml", () => {
  let directory: string;
  before(() => {
    directory = mkdtempSync(join(tmpdir(), "openshell-server-"));
  });
  after(() => rmSync(directory, { recursive: true }));
  const read = (yaml: string) => {
    writeFileSync(join(directory, "server.yaml"), yaml);
    return readServerSettings(directory);
  };

  it("is not needed: then the API is this machine's", () => {
    assert.deepEqual(readServerSettings(join(directory, "none")), { names: [] });
  });

  it("says where the API listens, and by which names it is reached", async () => {
    const settings = read("listen: '::'\nnames: [openshell.tools.svc, 10.0.0.7]\n");
    assert.deepEqual(settings, { listen: "::", names: ["openshell.tools.svc", "10.0.0.7"] });
    const kept = join(directory, "certificates");
    const certificate = async (names: readonly string[]) => {
      const places = { authority: authorityInFiles(kept), directory: kept };
      return (await loadCertificates(places, { now: new Date(), user: "u", names })).serverCertificate;
    };
    const first = await certificate(settings.names);
    assert.equal(await certificate(settings.names), first, "which stays as it is");
    assert.notEqual(await certificate(["other.example"]), first, "until it is reached by other names");
  });

  it("is refused with the line of what is wrong", () => {
    assert.throws(() => read("listen: everywhere\n"), /server\.yaml:1:9: .*"everywhere" is no address/);
    assert.throws(() => read("names: [fine, 'not a name']\n"), /"not a name" is neither/);
    assert.throws(() => read("certificate: tls.crt\n"), /the other half is missing/);
    assert.throws(() => read("certificate: tls.crt\nkey: tls.key\n"), /can't be used with this key: ENOENT/);
    assert.throws(() => read("port: 1\n"), /port/);
  });
});
