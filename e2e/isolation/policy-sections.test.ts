/** What the fixed sections of a policy (file system, Landlock, process) do, and what is said when they can't. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { install } from "../support/installation.ts";
import { createSandbox } from "../support/sandbox.ts";
import { isInContainers, skipInContainers } from "../support/world.ts";

const missing = "/srv/not-on-this-machine";

const policy = (compatibility: string, readOnly: string) => `
filesystem_policy: { include_workdir: true, read_only: [${readOnly}], read_write: [/tmp] }
landlock: { compatibility: ${compatibility} }
network_policies: {}
`;

describe("a policy that names a path which does not exist", () => {
  it("aborts the start under hard_requirement, and the error names the path", async () => {
    await using installation = install();
    await assert.rejects(
      createSandbox(installation, "strict", policy("hard_requirement", `/usr, /lib, /lib64, /bin, ${missing}`)),
      new RegExp(`hard_requirement.*${missing}.*ENOENT`, "s"),
    );
  });

  it("starts without it under best_effort, and `sandbox get` says so", async () => {
    await using installation = install();
    await createSandbox(installation, "lenient", policy("best_effort", `/usr, /lib, /lib64, /bin, ${missing}`));
    const { stdout } = await installation.run(["sandbox", "get", "lenient"]);
    assert.match(stdout, new RegExp(`landlock .*skipped ${missing} \\(ENOENT\\)`));
    if (!isInContainers()) assert.match(stdout, new RegExp(`${missing} does not exist on this machine`));
  });
});

describe("a policy whose paths all exist", () => {
  it("starts under hard_requirement", async () => {
    await using installation = install();
    const sandbox = await createSandbox(installation, "strict", policy("hard_requirement", "/usr, /lib, /lib64, /bin"));
    const { stdout } = await sandbox.run("echo runs");
    assert.equal(stdout, "runs\n");
  });
});

describe("a policy", () => {
  it("runs programs as the number that it gives", skipInContainers("its user is the image's"), async () => {
    await using installation = install();
    const sandbox = await createSandbox(
      installation,
      "numbered",
      "process: { run_as_user: '4711', run_as_group: '815' }\nnetwork_policies: {}\n",
    );
    const { stdout } = await sandbox.run("id -u; id -g; id -un; touch ~/mine && stat -c %u:%g ~/mine");
    assert.equal(stdout, "4711\n815\nsandbox\n4711:815\n");
  });

  const ofMachine = skipInContainers("the machine's files are in no image");
  it(
    "may show all of the machine's files, of which the kernel's and other programs' own are none",
    ofMachine,
    async () => {
      await using installation = install();
      const sandbox = await createSandbox(
        installation,
        "open",
        "filesystem_policy: { include_workdir: true, read_only: [/], read_write: [/tmp] }\nnetwork_policies: {}\n",
      );
      const { stdout, stderr } = await sandbox.run(
        "ls -d /usr /etc /var; ls /sys /run/dbus /run/systemd 2>/dev/null; touch /var/x",
      );
      assert.equal(stdout, "/etc\n/usr\n/var\n");
      assert.match(stderr, /cannot touch '\/var\/x'/);
    },
  );
});
