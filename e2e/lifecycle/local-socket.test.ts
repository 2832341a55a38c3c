/** How commands reach this machine's own gateway: by its socket where that is what it should be, by its port otherwise. */
import assert from "node:assert/strict";
import { chownSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { eachUser } from "../support/as-each-user.ts";
import { type Installation, install } from "../support/installation.ts";
import { world } from "../support/world.ts";

for (const [who, options] of eachUser) {
  describe(`the socket of the gateway of ${who}`, () => {
    let installation: Installation;
    let socket: string;
    before(async () => {
      installation = install(options);
      await installation.run(["sandbox", "create", "--name", "near"]);
      socket = JSON.parse(readFileSync(join(installation.stateDirectory, "gateway.json"), "utf8")).socket;
    });
    after(async () => {
      await installation[Symbol.asyncDispose]();
    });

    /** What a command says with --verbose about a way that it did not take, and what came of it. */
    async function echo(): Promise<{ stdout: string; notes: string }> {
      const args = ["-v", "sandbox", "exec", "-n", "near", "--", "cat"];
      const { code, stdout, stderr } = await installation.run(args, { input: "through\n" });
      assert.equal(code, 0, stderr);
      return { stdout, notes: stderr };
    }

    it("is its owner's alone, and carries commands", async () => {
      const { uid, mode } = statSync(socket);
      assert.equal(uid, options.user?.uid ?? process.geteuid?.());
      assert.equal(mode & 0o777, 0o600);
      assert.deepEqual(await echo(), { stdout: "through\n", notes: "" });
    });

    // A file can be given to somebody else only where there is somebody else.
    const itWithUsers = world().hasUsers ? it : () => {};
    itWithUsers("is done without when somebody else's is in its place, which hears nothing", async () => {
      renameSync(socket, `${socket}.aside`);
      const heard: string[] = [];
      const theirs = createServer((connection) => {
        heard.push("connection");
        connection.on("error", () => {}).destroy();
      });
      await new Promise<void>((resolve) => theirs.listen(socket, resolve));
      chownSync(socket, 60099, 60099);
      const { stdout, notes } = await echo();
      theirs.close();
      renameSync(`${socket}.aside`, socket);
      assert.equal(stdout, "through\n");
      assert.match(notes, /belongs to uid 60099/);
      assert.deepEqual(heard, []);
    });

    it("is done without when it is gone", async () => {
      rmSync(socket);
      const { stdout, notes } = await echo();
      assert.equal(stdout, "through\n");
      assert.match(notes, /ENOENT/);
    });
  });
}
