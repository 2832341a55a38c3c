/** Where a gateway keeps its authority: in its own files, or, sealed, in a database that other gateways lead on after it. */
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { writeAtomically } from "../../locations/gateway-entry.ts";
import { Secret } from "../../secrets/secret.ts";
import type { Vault } from "../../secrets/vault.ts";
import { newResource, type ResourceStore } from "../store/resource-store.ts";

/** PEM, both. */
export interface StoredAuthority {
  readonly pem: string;
  readonly keyPem: string;
}

export interface AuthorityPlace {
  read(): Promise<StoredAuthority | undefined>;
  /** In place of the one that is there. */
  write(authority: StoredAuthority): Promise<void>;
}

export function authorityInFiles(directory: string): AuthorityPlace {
  const [certificatePath, keyPath] = [join(directory, "ca.crt"), join(directory, "ca.key")];
  return {
    async read() {
      try {
        return { pem: readFileSync(certificatePath, "utf8"), keyPem: readFileSync(keyPath, "utf8") };
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
        throw error;
      }
    },
    async write({ pem, keyPem }) {
      mkdirSync(directory, { recursive: true, mode: 0o700 });
      // The key first: a certificate without its key would look complete to the next start.
      writeAtomically(keyPath, keyPem);
      writeAtomically(certificatePath, pem);
    },
  };
}

/** What is stored of it. */
export interface AuthorityBody {
  readonly pem: string;
  /** Sealed, in base64. */
  readonly key: string;
}

const NAME = "gateway";
const KEY_PLACE = "the gateway's authority";

export function authorityInStore(store: ResourceStore<AuthorityBody>, vault: Vault, now: () => number): AuthorityPlace {
  return {
    async read() {
      const stored = await store.get("", NAME);
      if (stored === undefined) return undefined;
      const { pem, key } = stored.body;
      return { pem, keyPem: vault.open(Buffer.from(key, "base64"), KEY_PLACE).reveal() };
    },
    async write({ pem, keyPem }) {
      const key = Buffer.from(vault.seal(new Secret(keyPem), KEY_PLACE)).toString("base64");
      await store.remove("", NAME);
      await store.create(newResource({ workspace: "", name: NAME, body: { pem, key } }, now()));
    },
  };
}
