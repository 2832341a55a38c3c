/** Starts the relay in front of a backend, in a process of its own as the supervisor has one. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { issueLeaf } from "../../e2e/support/certificates.ts";
import type { Authority } from "../support/authority.ts";

export interface Relay extends Disposable {
  readonly baseUrl: string;
}

export async function openRelay(baseUrl: string, authority: Authority): Promise<Relay> {
  const leaf = issueLeaf(authority, { names: ["DNS:localhost"] });
  const program = join(import.meta.dirname, "relay.ts");
  const child = spawn(process.execPath, [program, new URL(baseUrl).port, leaf.certificate, leaf.key], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, NODE_EXTRA_CA_CERTS: authority.file },
  });
  const [port] = await once(child.stdout, "data");
  return { baseUrl: `https://localhost:${String(port).trim()}`, [Symbol.dispose]: () => void child.kill() };
}
