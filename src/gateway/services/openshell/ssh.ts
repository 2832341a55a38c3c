import { createHash } from "node:crypto";
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { SshSessionSchema } from "../../../gen/openshell/v1/access_pb.ts";
import type { GatewayContext } from "../../context.ts";
import { failedPrecondition, invalid, notFound } from "../../refuse.ts";
import { whenReady } from "../../sandboxes/readiness.ts";
import { requireUser } from "../../server/caller.ts";
import type { SshSessionRecord } from "../../store/ssh-session-store.ts";
import type { Methods } from "./methods.ts";

/** Permissions to open SSH connections into sandboxes. */
export function sshMethods(context: GatewayContext): Methods {
  const { registry, sshSessions } = context;
  return {
    async createSshSession({ sandboxId }, { values, signal }) {
      const { subject } = requireUser(values);
      const { id } = await registry.find(sandboxId);
      await whenReady(context, id, { signal });
      const { name, status } = await registry.find(id);
      if (status.sshHostKey === "") throw failedPrecondition("the sandbox's supervisor has no SSH server; restart it");
      const { token, record } = await sshSessions.create({ sandboxId: id, user: subject });
      return {
        sandboxId: id,
        sandboxName: name,
        token,
        gatewayScheme: "https",
        gatewayHost: "127.0.0.1",
        gatewayPort: context.apiPort(),
        hostKey: status.sshHostKey,
        hostKeyFingerprint: fingerprint(status.sshHostKey),
        expiresAtMs: BigInt(record.expiresAtMs),
      };
    },
    async revokeSshSession({ token, sessionId }) {
      if ((token === "") === (sessionId === "")) throw invalid("give the session's token or its id");
      const id = token === "" ? sessionId : (await sshSessions.find(token))?.id;
      if (id === undefined || !(await sshSessions.revoke(id))) throw notFound("the SSH session");
      return { revoked: true };
    },
    async listSshSessions({ sandboxId }) {
      const id = sandboxId === "" ? undefined : (await registry.find(sandboxId)).id;
      return { sessions: (await sshSessions.list(id)).map(sessionMessage) };
    },
  };
}

function sessionMessage(record: SshSessionRecord): MessageInitShape<typeof SshSessionSchema> {
  const { id, sandboxId, user, createdAtMs, expiresAtMs, revoked } = record;
  const metadata = { id, createdAtMs: BigInt(createdAtMs) };
  return { metadata, sandboxId, user, expiresAtMs: BigInt(expiresAtMs), revoked };
}

/** As OpenSSH shows a key. */
function fingerprint(hostKey: string): string {
  const [, blob = ""] = hostKey.split(" ");
  const digest = createHash("sha256").update(Buffer.from(blob, "base64")).digest("base64");
  return `SHA256:${digest.replace(/=+$/, "")}`;
}
