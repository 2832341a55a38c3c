/** A company's mirror of Python packages: a simple index (PEP 503) with one wheel, which is made on the spot. */
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { type HttpServer, startHttpServer } from "./http-server.ts";
import type { HostName } from "./names.ts";
import { world } from "./world.ts";

/** What the index has: `import ${name}; ${name}.greeting`. */
export const indexedPackage = { name: "mirrored", version: "1.0", greeting: "from the mirror" } as const;

const { name, version, greeting } = indexedPackage;
const wheel = `${name}-${version}-py3-none-any.whl`;

export async function startPackageIndex(host: HostName): Promise<HttpServer> {
  const content = await makeWheel();
  return await startHttpServer({
    host,
    respond: (request, response) => {
      if (request.url === `/simple/${name}/`) {
        response.writeHead(200, { "content-type": "text/html" });
        response.end(`<!DOCTYPE html><html><body><a href="../../files/${wheel}">${wheel}</a></body></html>`);
      } else if (request.url === `/files/${wheel}`) {
        response.writeHead(200, { "content-type": "application/octet-stream" }).end(content);
      } else {
        response.writeHead(404).end();
      }
    },
  });
}

/** A wheel is an archive with the modules and a folder that describes them (PEP 427). */
async function makeWheel(): Promise<Buffer> {
  const path = join(world().directory, wheel);
  const described = `${name}-${version}.dist-info`;
  const files = {
    [`${name}.py`]: `greeting = ${JSON.stringify(greeting)}\n`,
    [`${described}/METADATA`]: `Metadata-Version: 2.1\nName: ${name}\nVersion: ${version}\n`,
    [`${described}/WHEEL`]: "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    [`${described}/RECORD`]: "",
  };
  const program = `
import json, sys, zipfile
with zipfile.ZipFile(sys.argv[1], "w") as archive:
    for name, content in json.loads(sys.argv[2]).items():
        archive.writestr(name, content)
`;
  await promisify(execFile)("/usr/bin/python3", ["-c", program, path, JSON.stringify(files)]);
  return readFileSync(path);
}
