/** Ways from a sandbox to the machine it runs on: its loopback, its gateway, its Unix sockets, its network. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, rmdirSync } from "node:fs";
import { createServer } from "node:net";
import { join, relative } from "node:path";
import { after, before, describe, it } from "node:test";
import { eachUser } from "../support/as-each-user.ts";
import { type Installation, install } from "../support/installation.ts";
import { freshConnections } from "../support/network-events.ts";
import { askPython } from "../support/python.ts";
import { createSandbox, type Sandbox } from "../support/sandbox.ts";
import { skipInContainers } from "../support/world.ts";

const ownServer = 8099;
const abstractName = "openshell-e2e-abstract";
/** Where a policy can show the folder of the gateway's sockets. */
const shownRuntime = "/srv/openshell-e2e-runtime";

function runtimeOf(installation: Installation): string {
  return join(installation.home, "run");
}

for (const [who, options] of eachUser) {
  describe(`a program in a sandbox of ${who}`, () => {
    let installation: Installation;
    let sandbox: Sandbox;
    let gatewayPort: number;
    let gatewaySocket: string;
    const heard: string[] = [];
    const server = createServer((socket) => {
      heard.push("tcp");
      socket.on("error", () => {}).end("HTTP/1.1 200 OK\r\ncontent-length: 7\r\nconnection: close\r\n\r\nmachine");
    });
    const abstractServer = createServer((socket) => {
      heard.push("abstract");
      socket.on("error", () => {}).end("machine");
    });

    before(async () => {
      installation = install(options);
      await new Promise<void>((resolve) => server.listen(ownServer, "127.0.0.1", resolve));
      await new Promise<void>((resolve) => abstractServer.listen(`\0${abstractName}`, resolve));
      // Below /tmp, where it lies in tests, no policy could show it.
      mkdirSync(shownRuntime, { recursive: true });
      execFileSync("mount", ["--bind", runtimeOf(installation), shownRuntime]);
      await installation.run(["gateway", "start"]);
      const { endpoint, socket } = JSON.parse(readFileSync(join(installation.stateDirectory, "gateway.json"), "utf8"));
      gatewayPort = Number(new URL(endpoint).port);
      gatewaySocket = socket;
      sandbox = await createSandbox(
        installation,
        "outward",
        `
network_policies:
  gateway:
    endpoints: [{ host: host.openshell.internal, port: ${gatewayPort} }, { host: loopback.example.test, port: ${gatewayPort} }]
    binaries: [{ path: any }]
`,
      );
    });
    after(async () => {
      server.close();
      abstractServer.close();
      execFileSync("umount", [shownRuntime]);
      rmdirSync(shownRuntime);
      await installation[Symbol.asyncDispose]();
    });

    const fresh = freshConnections(() => installation);
    /** Refused connections since the last call that are told of alone: sums of others come some seconds later. */
    const refusedAlone = () =>
      fresh().filter(({ disposition, count }) => disposition === "Blocked" && count === undefined);
    /** Reasons for which curl's connections were refused since the last call. */
    const refusals = () => {
      const refused = refusedAlone();
      for (const { actor } of refused) assert.equal(actor?.process.path, "/usr/bin/curl");
      return refused.map(({ status_code }) => status_code);
    };

    it("finds its own loopback at 127.0.0.1, where the machine's server is not", async () => {
      const { code } = await sandbox.run(`curl -sS --noproxy '*' http://127.0.0.1:${ownServer}/`);
      assert.equal(code, 7); // connection refused
    });

    it("does not reach the machine's loopback through the proxy, under any spelling, and is on record", async () => {
      const spellings = [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "0.0.0.0",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "localhost",
        "localhost.",
      ];
      fresh();
      for (const host of spellings) {
        const { stdout } = await sandbox.run(
          `curl -s --noproxy '' --proxy http://127.0.0.1:3128 http://${host}:${ownServer}/`,
        );
        assert.doesNotMatch(stdout, /machine/, host);
      }
      // Of one destination the first five are told of alone, and more of them by their number.
      const destinations = refusedAlone().map(({ dst_endpoint: { hostname, ip } }) => hostname ?? ip);
      assert.deepEqual([...new Set(destinations)].toSorted(), ["0.0.0.0", "127.0.0.1", "::1", "localhost"]);
    });

    it("does not reach the machine by its name without a rule for that port", async () => {
      refusals();
      await sandbox.run(`curl -s http://host.openshell.internal:${ownServer}/`);
      assert.deepEqual(refusals(), ["decide.implicit_deny"]);
    });

    it("does not reach the gateway, though a rule names its machine and port", async () => {
      for (const host of ["host.openshell.internal", "loopback.example.test"]) {
        for (const way of ["", "--noproxy '*'"]) {
          const { code } = await sandbox.run(`curl -sk ${way} https://${host}:${gatewayPort}/`);
          assert.notEqual(code, 0);
          assert.deepEqual(refusals(), ["guard.control_plane"], `${host} ${way}`);
        }
      }
    });

    it("does not reach the machine's abstract Unix sockets", async () => {
      const got = await askPython(
        sandbox,
        `print(json.dumps(outcome(lambda: socket.socket(socket.AF_UNIX).connect("\\0${abstractName}"))))`,
      );
      assert.ok(got === "ECONNREFUSED" || got === "EPERM", String(got));
    });

    it("finds no socket file of the machine's", async () => {
      const { stdout } = await sandbox.run("find / -path /proc -prune -o -type s -print 2>/dev/null");
      assert.equal(stdout, "");
    });

    const nothingShown = skipInContainers("its policy can show it nothing of the machine's");
    it("is not let in by the gateway's own socket, though its policy shows it the folder", nothingShown, async () => {
      const policy = `filesystem_policy: { include_workdir: true, read_only: [/usr, /lib, /etc, ${shownRuntime}] }`;
      const shown = await createSandbox(installation, "shown", policy);
      const got = await askPython<string>(
        shown,
        `
def greeting():
    s = socket.socket(socket.AF_UNIX)
    s.connect("${join(shownRuntime, relative(runtimeOf(installation), gatewaySocket))}")
    return s.recv(100).decode()
print(json.dumps(outcome(greeting)))`,
      );
      // Root's is another user's to the sandbox; an ordinary user's sandbox is that user, and yet hears no greeting.
      assert.ok(options.user === undefined ? ["", "EACCES"].includes(got) : ["", "ECONNRESET"].includes(got), got);
    });

    it("can't change its network: no rules, no routes, no interfaces, no addresses", async () => {
      const attempts = [
        "nft flush ruleset",
        "nft list ruleset",
        "ip link set lo down",
        "ip route del default",
        "ip addr add 10.0.0.1/8 dev lo",
        "ip link add dummy0 type dummy",
        "sysctl -w net.ipv4.ip_forward=1",
      ];
      for (const attempt of attempts) {
        const { code } = await sandbox.run(`${attempt} 2>/dev/null`);
        assert.notEqual(code, 0, attempt);
      }
      const { stdout } = await sandbox.run("ip -o link | wc -l; ip route");
      assert.equal(stdout, "1\ndefault dev lo scope link src 127.0.0.1 \n");
    });

    it("has been heard by nobody on the machine", () => {
      assert.deepEqual(heard, []);
    });
  });
}
