/** The table of types in docs/providers.md, walked: each variable that it names is looked for, and each type is in it. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { toJson } from "@bufbuild/protobuf";
import { builtInProfile, builtInProfiles, profileId } from "../../../gateway/providers/profiles/built-in.ts";
import { ProviderProfileSchema } from "../../../gen/openshell/v1/provider_pb.ts";
import { existingCredentials } from "../../secret-input.ts";

const page = readFileSync(join(import.meta.dirname, "../../../../docs/providers.md"), "utf8");
const table = page.slice(page.indexOf("| type | variables |")).split("\n\n")[0] ?? "";
const rows = table
  .split("\n")
  .slice(2)
  .map((line) => line.split("|").slice(1, 4))
  .map(([types = "", variables = "", endpoints = ""]) => ({
    types: coded(types),
    // Of what is between two semicolons one variable is taken, the first that is set.
    credentials: variables.split(";").map((each) => coded(each).filter((word) => /^[A-Z_]+$/.test(word))),
    hosts: coded(endpoints).filter((word) => word.includes(".")),
  }));

function coded(cell: string): string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, word = ""]) => word);
}

describe("the types of providers", () => {
  it("are all in the table", () => {
    const named = new Set(rows.flatMap(({ types }) => types).map(profileId));
    assert.deepEqual(
      [...named].sort(),
      builtInProfiles()
        .map(({ id }) => id)
        .sort(),
    );
  });

  for (const { types, credentials, hosts } of rows) {
    for (const type of types) {
      it(`${type} is discovered by the variables and is for the endpoints that the table says`, () => {
        const profile = builtInProfile(profileId(type));
        assert.ok(profile, `there is no type ${type}`);
        const json = toJson(ProviderProfileSchema, profile);
        for (const variable of credentials.flat()) {
          const found = existingCredentials(json, { [variable]: "value", OTHER_API_KEY: "other" });
          assert.deepEqual(found, [{ key: variable, value: undefined }]);
        }
        const everything = Object.fromEntries(credentials.flat().map((variable) => [variable, "value"]));
        const firsts = credentials.flatMap(([first]) => first ?? []);
        if (firsts.length > 0)
          assert.deepEqual(
            existingCredentials(json, everything).map(({ key }) => key),
            firsts,
          );
        const known = profile.credentials.flatMap(({ envVars }) => envVars);
        assert.deepEqual(known.toSorted(), credentials.flat().toSorted());
        const places = profile.endpoints.map(({ host }) => host);
        for (const host of hosts) assert.ok(places.includes(host), `${host} is not among ${places.join(", ")}`);
        assert.equal(places.length > 0, hosts.length > 0);
      });
    }
  }
});
