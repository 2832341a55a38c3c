/**
 * Bundles the four programs into dist/, one file each. Run by `npm ci` (the `prepare` script) and by hand.
 * Native packages stay outside the bundles and are found beside them in node_modules.
 */
import { rm } from "node:fs/promises";
import { build } from "esbuild";

const programs = {
  cli: "src/cli/main.ts",
  gateway: "src/gateway/main.ts",
  supervisor: "src/supervisor/main.ts",
  init: "src/init/main.ts",
};

await rm("dist", { recursive: true, force: true });
await build({
  entryPoints: programs,
  outdir: "dist",
  outExtension: { ".js": ".mjs" },
  bundle: true,
  splitting: true,
  platform: "node",
  format: "esm",
  target: "node26",
  minifySyntax: true,
  minifyWhitespace: true,
  sourcemap: false,
  legalComments: "none",
  external: ["koffi", "@lydell/node-pty"],
  // Some dependencies are CommonJS and ask for Node's modules with require().
  banner: {
    js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);',
  },
});
