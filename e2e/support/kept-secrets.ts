/**
 * The secrets that an installation's gateway keeps: it opens the database with the gateway's own key, so that a test can't
 * forget to say which secrets it has given away.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { credentialPlace, type ProviderBody } from "../../src/gateway/providers/provider.ts";
import { materialPlace } from "../../src/gateway/providers/refresh/refresh-state.ts";
import { KeyFile } from "../../src/secrets/key-file.ts";
import { Vault } from "../../src/secrets/vault.ts";

/** What is shorter is a test's stand-in for a key (`none`, `ghp_e2e`), and stands in many places by chance. */
const shortestSecret = 16;

/** Of all providers: their credentials, and the material that renews them. None where the state is elsewhere. */
export async function keptSecrets(stateDirectory: string): Promise<readonly string[]> {
  const path = join(stateDirectory, "state.db");
  if (!existsSync(path)) return [];
  const database = new DatabaseSync(path, { readOnly: true, timeout: 5_000 });
  try {
    const vault = await openVault(database, stateDirectory);
    const rows = database.prepare("SELECT id, body FROM resources WHERE kind = 'provider'").all();
    const all = rows.flatMap(({ id, body }) => secretsOf(String(id), JSON.parse(String(body)), vault));
    return all.filter(({ length }) => length >= shortestSecret);
  } finally {
    database.close();
  }
}

function openVault(database: DatabaseSync, stateDirectory: string): Promise<Vault> {
  const row = database.prepare("SELECT wrapped FROM data_key").get();
  return Vault.open(new KeyFile(join(stateDirectory, "secrets.key")), {
    read: async () => row?.["wrapped"] as Uint8Array | undefined,
    create: refuse,
    replace: refuse,
  });
}

/** A gateway makes its data key before it answers for the first time. */
function refuse(): never {
  throw new Error("a test does not change the keys of a gateway");
}

function secretsOf(id: string, { credentials, refresh = {} }: ProviderBody, vault: Vault): string[] {
  const open = (sealed: string, place: string): string => vault.open(Buffer.from(sealed, "base64"), place).reveal();
  return [
    ...Object.entries(credentials).map(([key, { sealed }]) => open(sealed, credentialPlace({ id }, key))),
    ...Object.entries(refresh).flatMap(([key, { sealed }]) =>
      Object.entries(sealed).map(([name, value]) => open(value, materialPlace({ id }, key, name))),
    ),
  ];
}
