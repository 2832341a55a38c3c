import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { create } from "@bufbuild/protobuf";
import { ProviderProfileImportItemSchema } from "../../../gen/openshell/v1/provider_pb.ts";
import { placeholderText } from "../../../secrets/placeholder.ts";
import { checkProfile } from "../check-profile.ts";
import { builtInProfiles, profileId } from "./built-in.ts";

describe("the built-in profiles", () => {
  for (const profile of builtInProfiles()) {
    it(`${profile.id} is one that could be imported under another name`, () => {
      const item = create(ProviderProfileImportItemSchema, { profile: { ...profile, id: `my-${profile.id}` } });
      const problems = checkProfile(item).map(({ field, message }) => `${field}: ${message}`);
      assert.deepEqual(
        problems.filter((problem) => !/read-only/.test(problem)),
        [],
      );
    });
  }

  it("have different ids, and may be called by their other names", () => {
    const ids = builtInProfiles().map(({ id }) => id);
    assert.equal(new Set(ids).size, ids.length);
    assert.equal(profileId("claude"), "claude-code");
    assert.equal(profileId("constructor"), "constructor");
  });

  it("give placeholders the length and prefix of real keys", () => {
    const github = builtInProfiles().find(({ id }) => id === "github");
    const text = placeholderText(github?.credentials[0]?.shape ?? {}, (length) => Buffer.alloc(length, 7));
    assert.match(text, /^ghp_7{36}$/);
  });
});
