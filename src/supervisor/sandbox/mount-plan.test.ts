import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { defaultPolicy } from "../../policy/default-policy.ts";
import type { FilesystemPolicy } from "../../policy/policy.ts";
import { type MountPlan, planMounts } from "./mount-plan.ts";

const sources = {
  home: "/state/home",
  temporary: "/state/scratch/tmp",
  logs: "/state/logs",
  etc: "/state/etc",
  ownEtc: "/state/own-etc",
  layers: "/state/layers",
  overlayTargets: "/state/overlays",
  runtime: [],
  folders: [],
};

/** A plan for these lists; `/usr` and what is in it are on every machine, and `/no-such` on none. */
function plan(filesystem: Partial<FilesystemPolicy>): MountPlan {
  const none: FilesystemPolicy = { includeWorkdir: false, readOnly: [], readWrite: [] };
  return planMounts({ ...defaultPolicy, filesystem: { ...none, ...filesystem } }, sources);
}

/** Where something is mounted, in order, with the option by which it is. */
function mounted({ mounts }: MountPlan): [option: string, target: string][] {
  return mounts.flatMap((word, at): [string, string][] =>
    word === "--bind" || word === "--ro-bind" ? [[word, mounts[at + 2] ?? ""]] : [],
  );
}

const accessTo = (path: string, { landlock }: MountPlan) =>
  landlock.filter((rule) => rule.path === path).map((rule) => rule.access);

describe("the plan of a sandbox's root", () => {
  it("has what every sandbox has, and nothing of the machine's, for a policy that names nothing", () => {
    const planned = plan({});
    assert.deepEqual(
      mounted(planned).filter(([, target]) => !target.startsWith("/etc/")),
      [
        ["--ro-bind", "/etc"],
        ["--bind", "/tmp"],
        ["--bind", "/sandbox"],
        ["--ro-bind", "/var/log"],
      ],
    );
    assert.deepEqual(planned.overlays, []);
  });

  it("lets /sandbox be written to only where the policy says so", () => {
    assert.deepEqual(accessTo("/sandbox", plan({})), []);
    assert.deepEqual(accessTo("/sandbox", plan({ includeWorkdir: true })), ["write"]);
    assert.deepEqual(accessTo("/sandbox", plan({ readWrite: ["/sandbox"] })), ["write"]);
  });

  it("always lets /proc and /etc be read, which are the sandbox's own", () => {
    for (const path of ["/proc", "/etc"]) assert.deepEqual(accessTo(path, plan({})), ["read"]);
  });

  it("brings the links into /usr along with it", () => {
    const { mounts } = plan({ readOnly: ["/usr"] });
    assert.ok(mounts.join(" ").includes("--symlink usr/lib /lib"));
  });

  it("shows a folder once, and not again what is in it", () => {
    const shown = mounted(plan({ readOnly: ["/usr", "/usr/share", "/usr/bin"] })).map(([, target]) => target);
    assert.deepEqual(
      shown.filter((target) => target.startsWith("/usr")),
      ["/usr"],
    );
  });

  it("never binds a folder of the machine's writable, only a layer over it", () => {
    const planned = plan({ readWrite: ["/usr/share"] });
    assert.deepEqual(planned.overlays, [
      { lower: "/usr/share", layer: "/state/layers/usr%2Fshare", target: "/state/overlays/usr%2Fshare" },
    ]);
    assert.ok(planned.mounts.join(" ").includes("--bind /state/overlays/usr%2Fshare /usr/share"));
  });

  it("makes a lasting folder for a writable path that the machine lacks", () => {
    const planned = plan({ readWrite: ["/no-such/folder"] });
    assert.deepEqual(planned.overlays, []);
    assert.deepEqual(planned.directories, ["/state/layers/no-such%2Ffolder/upper"]);
  });

  it("tells two writable paths apart whatever characters they have", () => {
    const { directories } = plan({ readWrite: ["/no/such", "/no%2Fsuch"] });
    assert.equal(new Set(directories).size, 2);
  });

  it("keeps a read-only folder read-only inside of a writable one, and the other way round", () => {
    const inside = mounted(plan({ readOnly: ["/usr", "/usr/share/doc"], readWrite: ["/usr/share"] }));
    assert.deepEqual(
      inside.filter(([, target]) => target.startsWith("/usr")),
      [
        ["--ro-bind", "/usr"],
        ["--bind", "/usr/share"],
        ["--ro-bind", "/usr/share/doc"],
      ],
    );
  });

  it("warns of a read-only path that the machine lacks, and keeps its rule, so that it is reported", () => {
    const planned = plan({ readOnly: ["/usr", "/no-such"] });
    assert.deepEqual(planned.warnings, ["/no-such does not exist on this machine, or can't be reached"]);
    assert.deepEqual(accessTo("/no-such", planned), ["read"]);
  });

  it("takes / for the root's folders of data, without other programs' sockets and the kernel's controls", () => {
    const { mounts } = plan({ readOnly: ["/"] });
    assert.ok(mounts.join(" ").includes("--ro-bind /usr /usr"));
    for (const path of ["/sys", "/run", "/proc", "/dev", "/tmp"]) {
      assert.ok(!mounts.join(" ").includes(`--ro-bind ${path} `), path);
    }
  });

  it("does not let a policy take the place of what is the sandbox's own", () => {
    const own = [
      "/proc/sys",
      "/dev/mem",
      "/etc/passwd",
      "/run/openshell/dist",
      "/var/log/other",
      "/tmp/x",
      "/sandbox/x",
    ];
    const planned = plan({ readOnly: own, readWrite: own.map((path) => `${path}2`) });
    assert.deepEqual(mounted(planned), mounted(plan({})));
  });
});
