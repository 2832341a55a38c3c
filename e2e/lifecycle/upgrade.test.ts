/** The package is replaced under sandboxes that run: they go on with the programs that they were started with. */
import assert from "node:assert/strict";
import { chownSync, cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { it } from "node:test";
import { eachUser } from "../support/as-each-user.ts";
import { install } from "../support/installation.ts";
import { world } from "../support/world.ts";

for (const [who, options] of eachUser) {
  it(`what ${who}'s sandbox starts later is there also when the package was installed anew`, async () => {
    await using installation = install(options);
    const { home, runProgram } = installation;
    const own = join(home, "package");
    mkdirSync(own);
    const putInPlace = () => {
      rmSync(join(own, "dist"), { recursive: true, force: true });
      for (const part of ["bin", "dist"]) {
        cpSync(join(world().packageDirectory, part), join(own, part), { recursive: true });
      }
    };
    putInPlace();
    symlinkSync(join(world().packageDirectory, "node_modules"), join(own, "node_modules"));
    const openshell = (...args: string[]) => runProgram([join(own, "bin", "openshell"), ...args]);
    assert.equal((await openshell("sandbox", "create", "--name", "early")).code, 0);
    putInPlace();
    writeFileSync(join(home, "file"), "content");
    if (options.user) chownSync(join(home, "file"), options.user.uid, options.user.gid);
    for (const asked of [
      ["sandbox", "upload", "early", join(home, "file"), "copy"],
      ["sandbox", "download", "early", "copy", join(home, "back")],
      ["sandbox", "exec", "-n", "early", "--tty", "--", "true"],
    ]) {
      const { code, stderr } = await openshell(...asked);
      assert.equal(code, 0, `${asked.join(" ")}: ${stderr}`);
    }
    assert.equal(readFileSync(join(home, "back"), "utf8"), "content");
    const config = join(home, "ssh-config");
    writeFileSync(config, (await openshell("sandbox", "ssh-config", "early")).stdout);
    const batch = join(home, "batch");
    writeFileSync(batch, `get copy ${join(home, "by-sftp")}\n`);
    const host = /^Host (\S+)/m.exec(readFileSync(config, "utf8"))?.[1] ?? "";
    const { code, stderr } = await runProgram(["sftp", "-b", batch, "-F", config, host]);
    assert.equal(code, 0, stderr);
    assert.equal(readFileSync(join(home, "by-sftp"), "utf8"), "content");
  });
}
