/**
 * The sandbox's SSH server, for one client.
 * Takes  the byte stream of a relay, whose other end the gateway has authenticated and admitted to this very sandbox.
 * Gives  programs, files and connections of the sandbox, to OpenSSH and to what builds on it.
 * Refuses every way to authenticate but `none` (the relay was the authentication), agents, X11.
 * Assumes nothing of the client but that: all that it starts is started by init, with the restrictions of any program.
 */
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import ssh2, { type Algorithms, type AuthContext, type ServerConfig } from "ssh2";
import { forwardInto } from "./forward-into.ts";
import { forwardOut } from "./forward-out.ts";
import { serveSession } from "./session-channel.ts";
import { SshConnection, type SshContext, type SshSession } from "./ssh-connection.ts";

/** As sshd_config(5), LoginGraceTime. */
const LOGIN_GRACE_MS = 120_000;

/**
 * A client that does not answer for longer than a relay waits for its client's return is gone. Not sooner: a laptop that
 * sleeps, or a gateway that is away, is to find its session again.
 */
const KEEPALIVE_MS = 60_000;
const UNANSWERED_KEEPALIVES = 11;

/**
 * AES-GCM is native, and authenticates by itself. chacha20-poly1305, which OpenSSH would choose first, is computed in
 * JavaScript here.
 */
const algorithms: Algorithms = {
  cipher: ["aes128-gcm@openssh.com", "aes256-gcm@openssh.com", "aes256-ctr", "aes128-ctr"],
  hmac: ["hmac-sha2-256-etm@openssh.com", "hmac-sha2-512-etm@openssh.com", "hmac-sha2-256"],
  kex: ["curve25519-sha256", "curve25519-sha256@libssh.org", "ecdh-sha2-nistp256"],
  compress: ["none"],
};

/** Serves the client until its stream ends. Returns at once. */
export function serveSsh(transport: Duplex, session: SshSession, context: SshContext): void {
  const config: ServerConfig = {
    hostKeys: [context.hostKey],
    ident: "OpenShell",
    keepaliveInterval: KEEPALIVE_MS,
    keepaliveCountMax: UNANSWERED_KEEPALIVES,
    algorithms,
  };
  // One listener for each channel that waits for room.
  transport.setMaxListeners(0);
  const grace = setTimeout(() => transport.destroy(), LOGIN_GRACE_MS);
  transport.once("close", () => clearTimeout(grace));
  const server = new ssh2.Server(config, (client) => {
    client.once("ready", () => clearTimeout(grace));
    attend(new SshConnection(client, transport, { session, context }));
  });
  // It asks no more of a socket than what every Duplex has.
  server.injectSocket(transport as Socket);
}

function attend(connection: SshConnection): void {
  const { client, transport } = connection;
  client.on("authentication", (attempt) => authenticate(attempt, connection));
  client.once("ready", () => {
    connection.record("open", "a connection");
    transport.once("close", () => connection.record("close", "a connection"));
    client.on("session", (accept, reject) => {
      if (connection.hasRoom()) serveSession(accept(), connection);
      else reject();
    });
    forwardInto(connection);
    forwardOut(connection);
  });
  // What the client did wrong, or the end of the stream in the midst of something: the library has ended it.
  client.on("error", (error: Error) => connection.record("fail", "the connection", error.message));
  client.once("end", () => transport.end());
}

/** Any name will do, and gives nothing: the published CLI says the one that its user has at home. There is one user inside. */
function authenticate(attempt: AuthContext, connection: SshConnection): void {
  if (attempt.method === "none") return attempt.accept();
  connection.record("refuse", "a connection", `the method ${attempt.method}`);
  attempt.reject([]);
}
