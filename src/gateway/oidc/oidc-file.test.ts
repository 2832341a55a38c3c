import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { readOidcSettings } from "./oidc-file.ts";

describe("oidc.yaml", () => {
  const directory = mkdtempSync(join(tmpdir(), "openshell-oidc-"));
  after(() => rmSync(directory, { recursive: true }));
  const read = (yaml: string) => {
    writeFileSync(join(directory, "oidc.yaml"), yaml);
    return readOidcSettings(directory);
  };

  it("says whose tokens are taken, and what groups may do", () => {
    assert.equal(readOidcSettings(directory), undefined, "no file, no tokens");
    const yaml =
      "issuer: https://id.example\naudience: openshell\nroles: { ops: admin }\nworkspaces: { web: { team: user } }\n";
    const settings = read(yaml);
    assert.equal(settings?.groupsClaim, "groups");
    assert.equal(settings.roles.get("ops"), "admin");
    assert.equal(settings.workspaces.get("web")?.get("team"), "user");
  });

  it("is refused with the place of each mistake", () => {
    assert.throws(() => read("issuer: https://id.example\n"), /audience/);
    assert.throws(() => read("issuer: http://id.example\naudience: a\n"), /oidc\.yaml:1.*https/s);
    assert.throws(
      () => read("issuer: https://id.example\naudience: a\njwks_uri: http://id.example\n"),
      /oidc\.yaml:3.*https/s,
    );
    assert.throws(() => read("issuer: https://id.example\naudience: a\nroles: { ops: root }\n"), /root|admin/);
    assert.throws(() => read("issuer: https://id.example\naudience: a\nrole: {}\n"), /roles/);
  });
});
