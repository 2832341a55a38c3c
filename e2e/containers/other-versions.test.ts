/** Gateways of several versions share an engine: each removes the runtimes that nobody uses, and makes its own where it has gone. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import { engineCommand } from "../support/engine.ts";
import { imageOf } from "../support/images.ts";
import { type Installation, install } from "../support/installation.ts";
import { world } from "../support/world.ts";

const { driver } = world();
const engine = (...args: readonly string[]) => (driver === "local" ? "" : engineCommand(driver, args));

const imageNamed = (version: string) => `localhost/openshell-runtime:${version}`;
const volumeNamed = (version: string) => `openshell-runtime-${version}`;

/** By their volumes, and by their images. */
const versions = () => ({
  volumes: lines(engine("volume", "ls", "--format", "{{.Name}}"), volumeNamed("")),
  images: lines(engine("image", "ls", "--format", "{{.Repository}}:{{.Tag}}"), imageNamed("")),
});

const lines = (text: string, prefix: string) =>
  text
    .split("\n")
    .filter((line) => line.startsWith(prefix))
    .map((line) => line.slice(prefix.length))
    .sort();

/** What a gateway of that version would have made, as far as the engine knows it. */
async function makeRuntime(version: string): Promise<void> {
  const image = await imageOf(version, { "/true": { program: readFileSync("/bin/busybox") } });
  engine("tag", image, imageNamed(version));
  engine("image", "rm", image);
  engine("volume", "create", volumeNamed(version));
}

describe("a gateway beside those of other versions", () => {
  let installation: Installation;
  let own: string;
  before(async () => {
    installation = install();
    await create("first");
    const [name = ""] = lines(engine("inspect", "--format", "{{.Config.Image}}", supervisor()), imageNamed(""));
    own = name;
    assert.equal((await installation.run(["sandbox", "delete", "first"])).code, 0);
    for (const version of ["e2e-used", "e2e-unused"]) await makeRuntime(version);
    const mount = ["--volume", `${volumeNamed("e2e-used")}:/runtime`];
    engine("create", "--name", "e2e-user", "--network", "none", ...mount, imageNamed("e2e-used"), "/true");
  });
  after(async () => {
    await installation[Symbol.asyncDispose]();
    engine("rm", "e2e-user");
    engine("image", "rm", imageNamed("e2e-used"));
    engine("volume", "rm", volumeNamed("e2e-used"));
  });

  const supervisor = () =>
    engine("ps", "--filter", "label=ai.openshell.sandbox", "--format", "{{.Names}}")
      .split("\n")
      .find((name) => name.endsWith("-supervisor")) ?? "";
  async function create(name: string): Promise<void> {
    const { code, stderr } = await installation.run(["sandbox", "create", "--name", name, "--", "true"]);
    assert.equal(code, 0, stderr);
  }

  it("makes its runtime again where another one has removed it, and removes what nobody uses", async () => {
    engine("volume", "rm", volumeNamed(own));
    engine("image", "rm", imageNamed(own));
    // An engine makes one that is empty for a container that names one which has gone.
    engine("volume", "create", volumeNamed(own));
    await create("second");
    const expected = [own, "e2e-used"].sort();
    assert.deepEqual(versions(), { volumes: expected, images: expected });
  });
});
