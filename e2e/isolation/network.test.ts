/** Every way out of a sandbox's network leads to the decision path or nowhere: both IP versions, TCP and UDP. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { NetworkActivity } from "../../src/ocsf/classes/network-activity.ts";
import { eachUser } from "../support/as-each-user.ts";
import { type HttpServer, startHttpServer } from "../support/http-server.ts";
import { type Installation, install } from "../support/installation.ts";
import { hosts } from "../support/names.ts";
import { freshConnections } from "../support/network-events.ts";
import { askPython } from "../support/python.ts";
import { createSandbox, type Sandbox } from "../support/sandbox.ts";
import { skipInContainers } from "../support/world.ts";

const policy = `
network_policies:
  six:
    endpoints: [
      { host: six.example.test, port: 443, protocol: rest, access: read-only },
      { host: "${hosts["dual.example.test"][0]}", port: 443 },
    ]
    binaries: [{ path: /usr/bin/curl }]
`;

for (const [who, options] of eachUser) {
  describe(`the network of a sandbox of ${who}`, () => {
    let installation: Installation;
    let server: HttpServer;
    let sandbox: Sandbox;

    before(async () => {
      installation = install(options);
      server = await startHttpServer({ host: "six.example.test" });
      sandbox = await createSandbox(installation, "network", policy);
    });
    after(async () => {
      await server[Symbol.asyncDispose]();
      await installation[Symbol.asyncDispose]();
    });

    const fresh = freshConnections(() => installation);

    it("gives a name addresses of both versions, which are its own", async () => {
      const { stdout } = await sandbox.run("dig +short A six.example.test; dig +short AAAA six.example.test");
      assert.match(stdout, /^198\.1[89]\.\d+\.\d+\n2001:2:/);
    });

    for (const version of ["4", "6"]) {
      it(`captures IPv${version}, allowed and denied`, async () => {
        fresh();
        const curl = `curl -${version} -sS --noproxy '*' -o /dev/null -w '%{http_code}'`;
        const allowed = await sandbox.run(`${curl} https://six.example.test/`);
        assert.equal(allowed.stdout, "200", allowed.stderr);
        await sandbox.run(`${curl} https://other.example.test/`);
        assert.deepEqual(
          opened(fresh()).map(({ disposition, dst_endpoint }) => [dst_endpoint.hostname, disposition]),
          [
            ["six.example.test", "Allowed"],
            ["other.example.test", "Blocked"],
          ],
        );
      });
    }

    it("captures addresses that no name stands for, on any port", async () => {
      fresh();
      for (const address of ["192.0.2.1", "[2001:db8::1]", "169.254.169.254", "[fe80::1%25lo]", "255.255.255.255"]) {
        await sandbox.run(`curl -s --noproxy '*' --max-time 10 http://${address}:9/`);
      }
      const events = fresh();
      assert.ok(events.length >= 3, String(events.length));
      assert.ok(events.every(({ disposition }) => disposition === "Blocked"));
    });

    it("refuses datagrams at once, and has on record who sent them", async (test) => {
      fresh();
      const [sent, seconds] = await askPython<[string, number]>(
        sandbox,
        `
datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
datagrams.settimeout(10)
datagrams.connect(("10.77.0.1", 5000))
began = time.monotonic()
result = outcome(lambda: datagrams.send(b"x") and datagrams.recv(1))
took = time.monotonic() - began
# Whoever looks for the sender must still find it.
time.sleep(0.3)
print(json.dumps([result, took]))
`,
      );
      assert.equal(sent, "EPERM");
      assert.ok(seconds < 1, String(seconds));
      const traced = skipInContainers("nobody in a sandbox's containers may ask the kernel for its trace");
      await test.test("who sent them is on record", traced, () => {
        const [event] = fresh().filter(({ status_code }) => status_code === "intercept.udp");
        assert.match(event?.actor?.process.path ?? "", /^\/usr\/bin\/python3/);
      });
    });

    it("lets programs talk to each other on its loopback", async () => {
      const { stdout } = await sandbox.run(
        "cd /tmp && echo hello > file && (python3 -m http.server 80 >/dev/null 2>&1 & echo $! > pid) && curl -s --retry 50 --retry-connrefused --retry-delay 0 http://localhost/file; kill $(cat pid)",
      );
      assert.equal(stdout, "hello\n");
    });
  });
}

/** Without the events of connections' ends. */
const opened = (events: readonly NetworkActivity[]) => events.filter(({ activity_name }) => activity_name === "Open");
