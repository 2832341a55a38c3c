/**
 * Bundles the four programs into dist/. Run by `npm ci` (the `prepare` script) and by hand. Native packages stay outside
 * the bundles and are found beside them in node_modules.
 */
import { rm } from "node:fs/promises";
import { type BuildOptions, build } from "esbuild";

const shared: BuildOptions = {
  outdir: "dist",
  outExtension: { ".js": ".mjs" },
  bundle: true,
  platform: "node",
  format: "esm",
  target: "node26",
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: "none",
  external: ["koffi", "@lydell/node-pty"],
  // Some dependencies are CommonJS and ask for Node's modules with require().
  banner: {
    js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);',
  },
};

await rm("dist", { recursive: true, force: true });
// Daemons load all they have, so that one file is fastest. A command of the CLI needs a tenth of it: split, it reads that.
const daemons = { gateway: "src/gateway/main.ts", supervisor: "src/supervisor/main.ts", init: "src/init/main.ts" };
await Promise.all([
  build({ ...shared, entryPoints: daemons }),
  build({ ...shared, entryPoints: { cli: "src/cli/main.ts" }, splitting: true, chunkNames: "cli/[name]-[hash]" }),
]);
