import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { supervisorSocketPath } from "../../locations/runtime-directory.ts";
import { jsonLine } from "../../net/json-lines.ts";
import { openSqliteStore } from "../store/sqlite/store.ts";
import { startTestGateway, type TestGateway } from "../test-support/test-gateway.ts";

describe("the socket for supervisors", () => {
  let gateway: TestGateway;
  before(async () => {
    gateway = await startTestGateway();
  });
  after(async () => {
    await gateway[Symbol.asyncDispose]();
  });

  /** Sends the bytes and gives what comes back before the gateway closes the connection. */
  async function answerTo(bytes: string | Buffer): Promise<string> {
    const socket = connect(supervisorSocketPath(join(gateway.directory, "run")));
    let answer = "";
    socket.on("data", (chunk) => {
      answer += chunk.toString();
    });
    socket.on("error", () => {});
    socket.write(bytes);
    await once(socket, "close");
    return answer;
  }

  it("closes without a word for whoever has not the token of the sandbox", async () => {
    const { sandbox } = await gateway.client.createSandbox({ name: "guarded" });
    const sandboxId = sandbox?.metadata?.id ?? "";
    const hello = jsonLine({ hello: { sandboxId } });
    assert.equal(await answerTo(jsonLine({ session: { sandboxId, token: "guess" } }) + hello), "");
    assert.equal(await answerTo(jsonLine({ session: { sandboxId } }) + hello), "");
    assert.equal(await answerTo(jsonLine({ session: { sandboxId: "nobody", token: "guess" } }) + hello), "");
    assert.equal(await answerTo(jsonLine({ channel: { sandboxId, token: "guess", channelId: "x" } })), "");
  });

  it("closes for what is no opening line", async () => {
    assert.equal(await answerTo("GET / HTTP/1.1\r\n\r\n"), "");
    assert.equal(await answerTo("[]\n"), "");
    assert.equal(await answerTo("null\n"), "");
    assert.equal(await answerTo(Buffer.alloc(5_000, "a")), "");
  });

  it("does not keep a gateway from stopping that is still looking up who has connected", async () => {
    const looked = Promise.withResolvers<void>();
    const directory = await mkdtemp(join(tmpdir(), "openshell-link-"));
    const stopped = await startTestGateway({
      openStore: async () => {
        const store = openSqliteStore(directory);
        store.sandboxes.get = () => {
          looked.resolve();
          return new Promise(() => {});
        };
        return store;
      },
    });
    const socket = connect(supervisorSocketPath(join(stopped.directory, "run")));
    const closed = once(socket, "close");
    socket.write(jsonLine({ session: { sandboxId: "one", token: "guess" } }));
    await looked.promise;
    await stopped[Symbol.asyncDispose]();
    await closed;
    await rm(directory, { recursive: true });
  });
});
