/** Secrets of those who guard a sandbox are nowhere inside it, and what a careless caller left open does not leak in. */
import assert from "node:assert/strict";
import { chmodSync, closeSync, globSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { eachUser } from "../support/as-each-user.ts";
import { type Installation, install } from "../support/installation.ts";
import { askPython } from "../support/python.ts";
import { createSandbox, type Sandbox } from "../support/sandbox.ts";

/** Everything that a program of a sandbox can read, but for programs (the machine's, and ours) and the kernel's own tables. */
const readEverything = `
def readable():
    for root, directories, files in os.walk("/"):
        directories[:] = [name for name in directories if os.path.join(root, name) not in ("/usr", "/opt", "/proc", "/run/openshell/dist")]
        yield from (os.path.join(root, name) for name in files)
    for pid in filter(str.isdigit, os.listdir("/proc")):
        if int(pid) == os.getpid(): continue
        yield from (f"/proc/{pid}/{name}" for name in ("environ", "cmdline", "mem", "maps", "status", "auxv"))
        for folder in ("fd", "task", "map_files"):
            names = outcome(lambda: os.listdir(f"/proc/{pid}/{folder}"))
            if isinstance(names, list):
                yield from (f"/proc/{pid}/{folder}/{name}" for name in names)
def contents():
    for path in readable():
        try:
            # Others would wait for whoever writes to them.
            if os.path.isfile(path):
                with open(path, "rb") as file: yield path, file.read(1 << 22)
        except OSError:
            pass
`;

for (const [who, options] of eachUser) {
  describe(`a program in a sandbox of ${who}`, () => {
    let installation: Installation;
    let sandbox: Sandbox;

    before(async () => {
      installation = install(options);
      sandbox = await createSandbox(installation, "curious", "network_policies: {}\n");
    });
    after(() => installation[Symbol.asyncDispose]());

    it("finds no private key of those who guard it", async () => {
      const secrets = globSync(["**/*.key", ".*/**/*.key"], { cwd: installation.home })
        .map((file) => readFileSync(join(installation.home, file), "latin1"))
        .filter((content) => content.includes("PRIVATE KEY"))
        // One line from the middle: unlike the first and the last, no two keys share it.
        .map((content) => content.split("\n")[2] ?? "");
      assert.ok(secrets.length > 0, "the gateway keeps keys for its clients");
      // Backwards, or the search would find itself: in its command line, and in the log of commands.
      const backwards = [...secrets, "BEGIN PRIVATE KEY", "BEGIN EC PRIVATE KEY", "BEGIN RSA PRIVATE KEY"].map(
        reversed,
      );
      const found = await askPython(
        sandbox,
        `${readEverything}
wanted = [word[::-1].encode() for word in ${JSON.stringify(backwards)}]
print(json.dumps([path for path, content in contents() if any(secret in content for secret in wanted)]))
`,
      );
      assert.deepEqual(found, []);
    });

    it("finds nothing of its gateway in the environment", async () => {
      const { stdout } = await sandbox.run("env");
      assert.doesNotMatch(stdout, /TOKEN|SECRET|KEY=|gateway|\.sock/i);
    });

    it("has its standard streams open, and nothing else", async () => {
      // Without a pipeline or redirection, for which the shell itself would hold files open.
      const { stdout } = await sandbox.run("ls -l /proc/$$/fd; true");
      const open = stdout.matchAll(/(\d+) -> (\S+)$/gm).map(([, number, file]) => `${number} ${file}`);
      assert.match([...open].join("\n"), /^0 pipe:\[\d+\]\n1 pipe:\[\d+\]\n2 pipe:\[\d+\]$/);
    });
  });
}

describe("a gateway that was started by a program with other files open", () => {
  it("does not hand them on to its sandboxes", async () => {
    await using installation = install();
    const secret = join(installation.home, "secret");
    writeFileSync(secret, "of the caller\n");
    chmodSync(secret, 0o644);
    const open = openSync(secret, "r");
    const descriptors = [open, open, open];
    try {
      // The first command starts the gateway and with it the supervisor in reserve; the second takes a sandbox from it.
      for (const name of ["first", "second"]) {
        const { code, stderr } = await installation.run(["sandbox", "create", "--name", name], { descriptors });
        assert.equal(code, 0, stderr);
        const script = "ls -l /proc/*/fd 2>/dev/null; cat <&3; cat <&4; cat <&5";
        const { stdout } = await installation.run(["sandbox", "exec", "--name", name, "--", "bash", "-c", script], {
          descriptors,
        });
        assert.match(stdout, /pipe:/);
        assert.doesNotMatch(stdout, /secret|of the caller/);
      }
    } finally {
      closeSync(open);
    }
  });
});

const reversed = (text: string): string => [...text].reverse().join("");
