import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { askedImage } from "./asked-image.ts";

describe("what --from means", () => {
  let folder: string;
  const before_ = process.cwd();
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "openshell-from-"));
    for (const name of ["image", "empty", "contained"]) mkdirSync(join(folder, name));
    for (const path of ["image/Dockerfile", "contained/Containerfile", "dev.Dockerfile", "notes.txt"]) {
      writeFileSync(join(folder, path), "FROM scratch\n");
    }
    process.chdir(folder);
  });
  after(() => {
    process.chdir(before_);
    rmSync(folder, { recursive: true });
  });

  const builds = (typed: string, within: string, dockerfile: string) => {
    assert.deepEqual(askedImage(typed, {}), { kind: "build", folder: join(folder, within), dockerfile });
  };
  const is = (typed: string, image: string, environment = {}) => {
    assert.deepEqual(askedImage(typed, environment), { kind: "image", image });
  };

  it("is a folder with a Dockerfile, or the file itself with its folder", () => {
    builds("./image", "image", "Dockerfile");
    builds("image", "image", "Dockerfile");
    builds("contained/", "contained", "Containerfile");
    builds("dev.Dockerfile", "", "dev.Dockerfile");
    builds(join(folder, "image/Dockerfile"), "image", "Dockerfile");
  });

  it("is an image where it reads like one", () => {
    for (const typed of ["debian:12", "ghcr.io/owner/name", "a.b", "localhost/x@sha256:abc"]) is(typed, typed);
  });

  it("is a community sandbox's name where it is a bare word, also beside a folder that has no Dockerfile", () => {
    is("base", "ghcr.io/nvidia/openshell-community/sandboxes/base:latest");
    is("empty", "ghcr.io/nvidia/openshell-community/sandboxes/empty:latest");
    is("base", "mirror.example/boxes/base:latest", { OPENSHELL_COMMUNITY_REGISTRY: "mirror.example/boxes/" });
  });

  it("is refused as a path that can't be built from", () => {
    assert.throws(() => askedImage("./empty", {}), /no Dockerfile in this folder/);
    assert.throws(() => askedImage("./none", {}), /no such file or folder/);
    assert.throws(() => askedImage("./notes.txt", {}), /"Dockerfile" in its name/);
    assert.throws(() => askedImage("two words", {}), /name of an image/);
  });
});
