/** What a sandbox gets of its engine besides an image: volumes, memory, GPUs; and what it never gets. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { engineCommand } from "../support/engine.ts";
import { type Installation, install } from "../support/installation.ts";
import { world } from "../support/world.ts";

const { driver } = world();
const socket = driver === "podman" ? "/run/podman/podman.sock" : "/run/docker.sock";

describe("options of the engine", () => {
  let installation: Installation;
  let folder: string;
  before(() => {
    installation = install();
    folder = mkdtempSync(join(world().directory, "data-"));
    mkdirSync(join(folder, "in"));
    writeFileSync(join(folder, "in", "file"), "from the machine\n");
  });
  after(async () => {
    await installation[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
    if (driver !== "local") engineCommand(driver, ["volume", "rm", "e2e-cache"]);
  });

  const create = (config: object, ...words: readonly string[]) => {
    const typed = JSON.stringify({ [driver]: config });
    return installation.run(["sandbox", "create", "--driver-config-json", typed, ...words]);
  };

  it("are volumes, memory and folders, read-only unless they are not to be", async () => {
    const mounts = [
      { type: "volume", source: "e2e-cache", target: "/cache", read_only: false },
      { type: "tmpfs", target: "/fast", size_bytes: 1 << 20 },
      { type: "bind", source: join(folder, "in"), target: "/in" },
    ];
    const script = `
      grep ' /cache ' /proc/self/mounts | cut -d' ' -f4 | cut -d, -f1
      echo x > /fast/file && cat /fast/file
      head -c 2097152 /dev/zero > /fast/big || echo full
      cat /in/file
      touch /in/other || echo read-only`;
    const { code, stdout, stderr } = await create({ mounts }, "--", "sh", "-c", script);
    assert.equal(code, 0, stderr);
    assert.equal(stdout, "rw\nx\nfull\nfrom the machine\nread-only\n");
  });

  for (const [what, config, problem] of [
    ["privileges", { privileged: true }, /privileged: is never taken: it would end the confinement/],
    ["capabilities", { cap_add: ["SYS_ADMIN"] }, /cap_add: is never taken/],
    ["the machine's network", { network_mode: "host" }, /network_mode: is never taken: it would lead past the policy/],
    ["the machine's processes", { pid_mode: "host" }, /pid_mode: is never taken/],
    ["the machine's root", { mounts: [{ type: "bind", source: "/", target: "/host" }] }, /\/ is the system's own/],
    [
      "the engine's socket",
      { mounts: [{ type: "bind", source: socket, target: "/engine" }] },
      /\/run\/.*\.sock is the system's own/,
    ],
    ["its folder", { mounts: [{ type: "bind", source: "/run", target: "/sockets" }] }, /\/run is the system's own/],
    [
      "the place of our programs",
      { mounts: [{ type: "tmpfs", target: "/run/openshell" }] },
      /would take the place of the sandbox's own \/run/,
    ],
  ] as const) {
    it(`are never ${what}`, async () => {
      const { code, stderr } = await create(config, "--name", "greedy");
      assert.equal(code, 1);
      assert.match(stderr, problem);
      assert.doesNotMatch((await installation.run(["sandbox", "list", "--names"])).stdout, /greedy/);
    });
  }

  it("say so where the engine has no GPU to give, and no sandbox is left", async () => {
    const { code, stderr } = await installation.run(["sandbox", "create", "--name", "gpu", "--gpu", "--", "true"]);
    assert.equal(code, 1);
    assert.match(
      stderr,
      driver === "docker" ? /engine refused: could not select device driver/ : /devices need Podman 5/,
    );
    assert.doesNotMatch((await installation.run(["sandbox", "list", "--names"])).stdout, /gpu/);
  });
});
