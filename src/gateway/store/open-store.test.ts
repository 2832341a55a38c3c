import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import { Secret } from "../../secrets/secret.ts";
import { createGatewayLog } from "../gateway-log.ts";
import { readDatabaseSettings } from "./database-file.ts";
import { openStore } from "./open-store.ts";
import { record, revision } from "./store-contract.ts";
import { type PostgresServer, postgresMissing, startPostgres } from "./test-support/postgres-server.ts";

describe("database.yaml", () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "openshell-database-"));
  });
  afterEach(() => rmSync(directory, { recursive: true }));
  const write = (text: string, mode = 0o600) => {
    const path = join(directory, "database.yaml");
    writeFileSync(path, text);
    chmodSync(path, mode);
  };

  it("is not needed: the state is in files then", () => {
    assert.equal(readDatabaseSettings(directory), undefined);
  });

  it("names a database, with its password in a file or in the URL", () => {
    write("url: postgres://me@db.example.invalid/openshell\npassword_file: password\n", 0o644);
    writeFileSync(join(directory, "password"), "s3 cret\n");
    assert.equal(readDatabaseSettings(directory)?.url.reveal(), "postgres://me:s3%20cret@db.example.invalid/openshell");
    write("url: postgres://me:other@db.example.invalid/openshell\n");
    assert.equal(readDatabaseSettings(directory)?.url.reveal(), "postgres://me:other@db.example.invalid/openshell");
  });

  it("says whether others share it, and where the key is then", () => {
    write("url: postgres://me@db.example.invalid/openshell\nreplicas: true\nsecrets_key_file: keys/secrets.key\n");
    const { replicas, secretsKeyPath } = readDatabaseSettings(directory) ?? {};
    assert.deepEqual(
      { replicas, secretsKeyPath },
      { replicas: true, secretsKeyPath: join(directory, "keys/secrets.key") },
    );
  });

  it("that can't be used is refused with its line, and without the password", () => {
    const refused = (text: string, words: RegExp, mode?: number) => {
      write(text, mode);
      assert.throws(
        () => readDatabaseSettings(directory),
        ({ message }: Error) => words.test(message) && !message.includes("s3cret"),
      );
    };
    refused("url: mysql://db/openshell\n", /database\.yaml:1.*must be postgres:/s);
    refused("password_file: password\n", /url/);
    refused("url: postgres://me:s3cret@db/openshell\n", /others can read this file: run `chmod 600/, 0o644);
    refused("url: postgres://me@db/openshell\npassword_file: none\n", /database\.yaml:2.*ENOENT/s);
    refused("url: postgres://me:s3cret@db/openshell\npassword_file: none\n", /besides a password in the url/);
  });
});

describe("a gateway's state in PostgreSQL", { skip: postgresMissing() }, () => {
  let server: PostgresServer;
  let url: Secret;
  before(async () => {
    server = await startPostgres();
    url = new Secret(await server.createDatabase());
  });
  after(async () => {
    await server[Symbol.asyncDispose]();
  });
  const log = createGatewayLog(() => {}, Date.now);
  const open = (databaseUrl: Secret, onTaken = () => {}) =>
    openStore({ stateDirectory: "/nonexistent", databaseUrl, log, onTaken });

  it("is one gateway's at a time; the next one finds what it left", async () => {
    const first = await open(url);
    await first.sandboxes.create(record("a", "box"), revision("h"));
    await assert.rejects(open(url), /database_1: another gateway uses this database/);
    await first.close();
    const second = await open(url);
    assert.equal((await second.sandboxes.get("a"))?.name, "box");
    await second.close();
  });

  it("stays a gateway's over a crash of the server, and is another's where that was quicker", async () => {
    const { promise: taken, resolve: onTaken } = Promise.withResolvers<void>();
    const first = await open(url, onTaken);
    await server.crash();
    // Both look for the server as soon as it is back; either may be first, and never do both have it.
    const second = await open(url).catch((error: Error) => error);
    if (second instanceof Error) assert.match(second.message, /another gateway/);
    else {
      await taken;
      await second.close();
    }
    await first.close();
  });

  it("that can't be reached is told by its place, without user and password", async () => {
    await assert.rejects(open(new Secret("postgres://me:s3cret@127.0.0.1:1/none")), ({ message }: Error) => {
      assert.match(message, /^the database at 127\.0\.0\.1:1\/none can't be used: .*ECONNREFUSED.*database\.yaml/);
      return !message.includes("s3cret");
    });
  });
});
