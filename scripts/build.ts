/**
 * Bundles the four programs into dist/. Run by `npm ci` (the `prepare` script) and by hand. The terminal library stays
 * outside of the bundles, and is found beside them in node_modules when a terminal is asked for.
 */
import { copyFile, mkdir, rm } from "node:fs/promises";
import { type BuildOptions, build, type Plugin } from "esbuild";

/** The glibc build: that is what the Node is that this package brings along. */
const nativeKoffi = `node_modules/@koromix/koffi-linux-${process.arch}/linux_${process.arch}/koffi.node`;

/**
 * Loads koffi's native part from beside the bundle. The package's own loader first reads Node's executable, to find out
 * which C library it is for, and that takes 10 ms of every start.
 */
const koffiBeside: Plugin = {
  name: "koffi-beside",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^koffi$/ }, () => ({ path: "koffi", namespace: "native" }));
    onLoad({ filter: /.*/, namespace: "native" }, () => ({
      contents: `import { createRequire } from "node:module";
        export default createRequire(import.meta.dirname + "/")("./koffi.node");`,
    }));
  },
};

/**
 * CommonJS: Node starts it without its ESM loader and without the ESM views of its own modules, which takes 5 to 15 ms and
 * some megabytes off every program. Modules behind a dynamic import are in the file, but run only when they are asked for.
 */
const shared: BuildOptions = {
  outdir: "dist",
  outExtension: { ".js": ".cjs" },
  bundle: true,
  platform: "node",
  format: "cjs",
  target: "node26",
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: "none",
  external: ["@lydell/node-pty"],
  define: { "import.meta.dirname": "__dirname" },
  supported: { "dynamic-import": false },
  plugins: [koffiBeside],
};

/** Keeps the commands out of the entry file, so that they are loaded after it has switched the compile cache on. */
const commandsApart: Plugin = {
  name: "commands-apart",
  setup({ onResolve }) {
    onResolve({ filter: /\/dispatch\.ts$/ }, () => ({ path: "./cli-commands.cjs", external: true }));
  },
};

/**
 * Libraries that only some commands need. Kept out of the commands' file as well, which every command has Node read: what
 * is in it takes its time even if it never runs.
 */
const librariesApart: Plugin = {
  name: "libraries-apart",
  setup({ onResolve }) {
    onResolve({ filter: /^yaml$/ }, () => ({ path: "./cli-yaml.cjs", external: true }));
    onResolve({ filter: /^tar-stream$/ }, () => ({ path: "./cli-tar-stream.cjs", external: true }));
    onResolve({ filter: /^ws$/ }, () => ({ path: "./cli-ws.cjs", external: true }));
    onResolve({ filter: /^openid-client$/ }, () => ({ path: "./cli-openid-client.cjs", external: true }));
    onResolve({ filter: /^@bufbuild\/protobuf/ }, () => ({ path: "./cli-protobuf.cjs", external: true }));
  },
};

/**
 * The SSH library, which a supervisor loads when somebody connects. Its optional native parts stay out: they would be
 * compiled on the user's machine, and what they speed up is not used.
 */
const sshApart: Plugin = {
  name: "ssh-apart",
  setup({ onResolve }) {
    onResolve({ filter: /^ssh2$/ }, () => ({ path: "./supervisor-ssh2.cjs", external: true }));
  },
};
const withoutNativeParts: Plugin = {
  name: "without-native-parts",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^cpu-features$|\.node$/ }, ({ path }) => ({ path, namespace: "absent" }));
    onLoad({ filter: /.*/, namespace: "absent" }, () => ({ contents: 'throw new Error("not built in");' }));
  },
};

/** One file for all ways into the library, so that there is one of each of its values. */
const protobuf = ["", "/codegenv2", "/wkt"].map((entry) => `export * from "@bufbuild/protobuf${entry}";`).join("\n");

await rm("dist", { recursive: true, force: true });
await mkdir("dist");
await copyFile(nativeKoffi, "dist/koffi.node");
const programs = {
  gateway: "src/gateway/main.ts",
  init: "src/init/main.ts",
  transfer: "src/transfer/main.ts",
  "sftp-server": "src/sftp/main.ts",
  "container-network": "src/supervisor/container-network/main.ts",
  "pod-setup": "src/supervisor/pod-setup/main.ts",
  "mount-folders": "src/gateway/drivers/local/mount-folders/main.ts",
};
await Promise.all([
  build({ ...shared, entryPoints: programs }),
  build({ ...shared, entryPoints: { supervisor: "src/supervisor/main.ts" }, plugins: [koffiBeside, sshApart] }),
  build({ ...shared, entryPoints: { "supervisor-ssh2": "ssh2" }, plugins: [withoutNativeParts] }),
  build({ ...shared, entryPoints: { cli: "src/cli/main.ts" }, plugins: [koffiBeside, commandsApart] }),
  build({ ...shared, entryPoints: { "cli-commands": "src/cli/dispatch.ts" }, plugins: [koffiBeside, librariesApart] }),
  build({
    ...shared,
    entryPoints: {
      "cli-yaml": "yaml",
      "cli-tar-stream": "tar-stream",
      "cli-openid-client": "openid-client",
      "cli-ws": "ws",
    },
  }),
  build({
    ...shared,
    entryNames: "cli-protobuf",
    stdin: { contents: protobuf, resolveDir: "." },
  }),
]);
