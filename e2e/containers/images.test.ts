/** What sandboxes can be made from: images of any C library, or of none, and what an image says of itself. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { createAuthority, issueLeaf } from "../support/certificates.ts";
import { baseImage } from "../support/engine.ts";
import { startHttpServer } from "../support/http-server.ts";
import { type ImageChanges, type ImageFiles, imageOf, imageOnBase } from "../support/images.ts";
import { type Installation, install } from "../support/installation.ts";
import { freshConnections } from "../support/network-events.ts";
import { world } from "../support/world.ts";

/** A program without any library, which is as many programs as it has links. */
const busybox = { program: readFileSync("/bin/busybox") };
const musl = process.arch === "arm64" ? "aarch64" : "x86_64";
const accounts = "root:x:0:0:root:/root:/bin/sh\nworker:x:1234:4321::/home/worker:/bin/sh\n";

/** As Alpine is: musl and busybox, with a shell and without anything of glibc's. */
const muslFiles: ImageFiles = {
  "/bin/busybox": busybox,
  ...Object.fromEntries(["sh", "cat", "id", "ls", "wget"].map((name) => [`/bin/${name}`, { link: "busybox" }])),
  [`/lib/ld-musl-${musl}.so.1`]: { program: readFileSync(`/lib/ld-musl-${musl}.so.1`) },
  "/etc/passwd": accounts,
  "/etc/os-release": "ID=alpine\n",
};

/** One program, and no shell that could start another. */
const shellless: ImageFiles = { "/bin/cat": busybox, "/etc/os-release": "ID=distroless\n" };

describe("a sandbox from an image", () => {
  let installation: Installation;
  before(() => {
    installation = install();
  });
  after(() => installation[Symbol.asyncDispose]());

  const create = async (name: string, image: string, ...flags: readonly string[]) => {
    const created = await installation.run(["sandbox", "create", "--name", name, "--from", image, ...flags]);
    assert.equal(created.code, 0, created.stderr);
  };
  const exec = async (name: string, ...command: readonly string[]) => {
    const { stdout, stderr } = await installation.run(["sandbox", "exec", "-n", name, "--", ...command]);
    return stdout || stderr;
  };

  it("of musl runs its programs, under our supervisor as any other", async () => {
    await create("musl", await imageOf("musl", muslFiles));
    assert.equal(await exec("musl", "cat", "/etc/os-release"), "ID=alpine\n");
    assert.match(await exec("musl", `/lib/ld-musl-${musl}.so.1`), /^musl libc/);
    const fresh = freshConnections(() => installation);
    assert.match(await exec("musl", "sh", "-c", "wget -q -O - http://api.example.test/ 2>&1"), /403|Forbidden/);
    const [event] = fresh();
    assert.equal(event?.actor?.process.path, "/bin/busybox");
  });

  it("without a shell runs what it has, and takes files", async () => {
    await create("bare", await imageOf("bare", shellless));
    assert.equal(await exec("bare", "cat", "/etc/os-release"), "ID=distroless\n");
    assert.match(await exec("bare", "sh", "-c", "true"), /sh/);
    const { code, stderr } = await installation.run(["sandbox", "upload", "bare", "/etc/hostname", "copy"]);
    assert.equal(code, 0, stderr);
    assert.equal(await exec("bare", "cat", "/sandbox/copy"), readFileSync("/etc/hostname", "utf8"));
  });

  it("is stopped without its supervisor being killed, which has its last events to write", async () => {
    assert.equal((await installation.run(["sandbox", "stop", "bare"])).code, 0);
    const log = readFileSync(join(installation.stateDirectory, "gateway.log"), "utf8");
    assert.match(log, /sandbox bare: the supervisor ended with code 0$/m);
  });

  it("runs as its USER, in its WORKDIR, with its ENV, and never its ENTRYPOINT", async () => {
    const changes: ImageChanges = [
      "ENV COLOUR=blue",
      "ENV LD_PRELOAD=/none.so",
      "USER worker",
      "WORKDIR /srv",
      'ENTRYPOINT ["/bin/sh", "-c", "echo started > /sandbox/entry"]',
    ];
    await create("own", await imageOf("own", { ...muslFiles, "/srv/file": "x\n" }, changes));
    assert.match(await exec("own", "id"), /^uid=1234\(worker\) gid=4321/);
    assert.equal(await exec("own", "sh", "-c", "pwd; echo $COLOUR; ls"), "/srv\nblue\nfile\n");
    assert.match(await exec("own", "ls", "/sandbox/entry"), /No such file/);
  });

  it("that wants to be root is not", async () => {
    await create("root", await imageOf("root", muslFiles, ["USER root"]));
    assert.match(await exec("root", "id"), /^uid=1000/);
  });

  it("can't have its own programs run in ours: preloads are for its own", async () => {
    const files = { ...muslFiles, "/etc/ld.so.preload": "/evil.so\n", "/evil.so": "not a library" };
    await create("preload", await imageOf("preload", files, ["ENV NODE_OPTIONS=--require=/evil.so"]));
    assert.equal(await exec("preload", "cat", "/etc/ld.so.preload"), "");
  });

  it("that is not there is named, and how to get it", async () => {
    const { code, stderr } = await installation.run(["sandbox", "create", "--from", "nobody/has-this:1"]);
    assert.equal(code, 1);
    assert.match(stderr, /has no image nobody\/has-this:1: pulling it\n/);
    assert.match(stderr, /error: .* has no image nobody\/has-this:1, and could not pull it/);
  });

  it("by a bare name is one of the community's, from where its users say", async () => {
    const env = { OPENSHELL_COMMUNITY_REGISTRY: "localhost:1/boxes" };
    const { code, stderr } = await installation.run(["sandbox", "create", "--from", "box"], { env });
    assert.equal(code, 1);
    assert.match(stderr, /has no image localhost:1\/boxes\/box:latest, and could not pull it/);
  });

  it("needs an engine, and says so where none is there", async () => {
    await using engineless = install();
    const env = { DOCKER_HOST: "unix:///run/none.sock", CONTAINER_HOST: "unix:///run/none.sock" };
    const { code, stderr } = await engineless.run(["sandbox", "create", "--from", "debian:12"], { env });
    assert.equal(code, 1);
    assert.match(stderr, /no container engine was found: start Docker or Podman/);
  });
});

describe("an image that is built for a sandbox", () => {
  let installation: Installation;
  let folder: string;
  before(() => {
    installation = install();
    folder = mkdtempSync(join(world().directory, "build-"));
    writeFileSync(join(folder, "greeting"), "hello\n");
    writeFileSync(join(folder, "secret.env"), "TOKEN=x\n");
    writeFileSync(join(folder, ".dockerignore"), "*.env\n");
  });
  after(async () => {
    await installation[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  });

  const create = (lines: readonly string[], ...words: readonly string[]) => {
    writeFileSync(join(folder, "Dockerfile"), [`FROM ${baseImage}`, ...lines].map((line) => `${line}\n`).join(""));
    return installation.run(["sandbox", "create", "--from", folder, ...words]);
  };

  it("has what its Dockerfile says, of what the folder does not keep back", async () => {
    const lines = ["COPY . /opt/given", "RUN echo made here > /opt/made", "ENV COLOUR=green"];
    const command = ["--name", "built", "--", "sh", "-c", "ls -A /opt/given; cat /opt/made; echo $COLOUR"];
    const { code, stdout, stderr } = await create(lines, ...command);
    assert.equal(code, 0, stderr);
    assert.deepEqual(stdout.split("\n"), [".dockerignore", "Dockerfile", "greeting", "made here", "green", ""]);
    assert.match(stderr, /^building .*\/Dockerfile\n[\s\S]*^step 2\/\d/im);
  });

  it("that can't be built leaves no sandbox, and its last words say why", async () => {
    const lines = ["RUN echo something is amiss && exit 7"];
    const { code, stderr } = await create(lines, "--name", "amiss");
    assert.equal(code, 1);
    assert.match(stderr, /something is amiss\n[\s\S]*error: the build failed: .*\b7\b/);
    const forPrograms = await create(lines, "--name", "amiss", "-o", "json");
    const { error } = JSON.parse(forPrograms.stderr) as { error: { message: string } };
    assert.match(error.message, /the build failed: [\s\S]*something is amiss/);
    assert.doesNotMatch((await installation.run(["sandbox", "list", "--names"])).stdout, /amiss/);
  });

  it("has a name of its own for what it is, by which a sandbox starts again", async () => {
    const { code, stderr } = await installation.run(["sandbox", "restart", "built"]);
    assert.equal(code, 0, stderr);
    const { stdout } = await installation.run(["sandbox", "exec", "-n", "built", "--", "cat", "/opt/given/greeting"]);
    assert.equal(stdout, "hello\n");
  });

  it("wants a Dockerfile that is there", async () => {
    rmSync(join(folder, "Dockerfile"));
    const { code, stderr } = await installation.run(["sandbox", "create", "--from", folder]);
    assert.equal(code, 2);
    assert.match(stderr, /there is no Dockerfile in this folder/);
  });
});

describe("the policy that an image brings", () => {
  const policy = `version: 1
network_policies:
  api:
    endpoints: [{ host: api.example.test, port: 443, protocol: rest, access: read-only }]
    binaries: [{ path: /usr/bin/curl }]
`;
  const ask = ["curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", "https://api.example.test/"];

  it("is in force where no other is given, and another is where one is", async () => {
    await using installation = install();
    await using _server = await startHttpServer({ host: "api.example.test" });
    const image = await imageOnBase("policy", { "/etc/openshell/policy.yaml": policy });
    const without = await installation.run(["sandbox", "create", "--name", "own", "--from", image, "--", ...ask]);
    assert.equal(without.stdout, "200", without.stderr);
    const { stdout } = await installation.run(["policy", "get", "own", "--full"]);
    assert.match(stdout, /host: api\.example\.test/);
    const nothing = ["--preset", "github"];
    const given = await installation.run(["sandbox", "create", "--from", image, ...nothing, "--", ...ask]);
    assert.notEqual(given.stdout, "200");
  });

  it("is refused with its errors, and no sandbox is made", async () => {
    await using installation = install();
    const image = await imageOnBase("bad-policy", { "/etc/openshell/policy.yaml": "version: 1\nnetwork: {}\n" });
    const { code, stderr } = await installation.run(["sandbox", "create", "--from", image]);
    assert.equal(code, 1);
    assert.match(stderr, /policy\.yaml of the image .* has errors[\s\S]*network/);
    assert.equal((await installation.run(["sandbox", "list", "--names"])).stdout, "");
  });
});

describe("an upstream that only a company's authority vouches for", () => {
  const company = createAuthority("Company");
  const tls = issueLeaf(company, { names: ["DNS:api.example.test"] });
  const policy = `version: 1
network_policies:
  api:
    endpoints: [{ host: api.example.test, port: 443, protocol: rest, access: full }]
    binaries: [{ path: /usr/bin/curl }]
`;
  const policyImage = { "/etc/openshell/policy.yaml": policy };
  const own = readFileSync("/etc/ssl/certs/ca-certificates.crt", "utf8");

  let installation: Installation;
  before(() => {
    installation = install();
  });
  after(() => installation[Symbol.asyncDispose]());

  const ask = async (image: string) => {
    await using _server = await startHttpServer({ host: "api.example.test", tls });
    const command = ["--", "curl", "-sS", "https://api.example.test/"];
    const { stdout } = await installation.run(["sandbox", "create", "--no-keep", "--from", image, ...command]);
    return JSON.parse(stdout);
  };

  const places: readonly (readonly [whose: string, files: ImageFiles, changes?: ImageChanges])[] = [
    ["Debian's place", { "/etc/ssl/certs/ca-certificates.crt": `${own}\n${company.certificate}` }],
    ["Red Hat's place", { "/etc/pki/tls/certs/ca-bundle.crt": company.certificate }],
    ["Alpine's place", { "/etc/ssl/cert.pem": company.certificate }],
    ["the file of its SSL_CERT_FILE", { "/opt/ca.pem": company.certificate }, ["ENV SSL_CERT_FILE=/opt/ca.pem"]],
  ];

  for (const [index, [whose, files, changes]] of places.entries()) {
    it(`is trusted by a sandbox whose image has it in ${whose}`, async () => {
      const image = await imageOnBase(`company-${index}`, { ...policyImage, ...files }, changes);
      assert.equal((await ask(image)).host, "api.example.test");
    });
  }

  it("is not by one whose image does not have it", async () => {
    const { reason } = await ask(await imageOnBase("no-company", policyImage));
    assert.equal(reason, "terminate.upstream_untrusted.unknown_issuer");
  });
});
