/**
 * The login service of a proxy in front of a gateway, as clouds have it: asks whoever comes without its cookie to log in, and
 * vouches for the others with a token that it signs. Everybody who comes is let in as `alice`.
 */
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { exportJWK, generateKeyPair, jwtVerify, SignJWT } from "jose";

export interface EdgeLogin extends AsyncDisposable {
  readonly port: number;
  /** As its tokens name it; nobody answers there. */
  readonly issuer: string;
  readonly audience: string;
  /** Where its keys are. */
  readonly keysAddress: string;
  /** Ends all logins: tokens that were given out are not taken any more. */
  endLogins(): void;
}

const issuer = "https://team.example.test";
const audience = "edge-of-the-company";

export async function startEdgeLogin(): Promise<EdgeLogin> {
  const { publicKey, privateKey } = await generateKeyPair("ES256");
  const key = { ...(await exportJWK(publicKey)), kid: "edge", alg: "ES256" };
  let logins = 0;
  const token = () =>
    new SignJWT({ groups: ["operators"], login: logins })
      .setProtectedHeader({ alg: "ES256", kid: "edge" })
      .setIssuer(issuer)
      .setAudience(audience)
      .setSubject("alice")
      .setExpirationTime("1h")
      .sign(privateKey);
  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? "/", "http://edge");
    if (url.pathname.endsWith("/certs")) {
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify({ keys: [key] }));
    } else if (url.pathname.endsWith("/login")) {
      response.setHeader("set-cookie", `CF_Authorization=${await token()}; Path=/; HttpOnly; Secure`);
      // nginx puts the address there as it is: what follows an `&` belongs to it.
      const [, ...to] = (request.url ?? "").split("to=");
      response.writeHead(302, { location: to.join("to=") }).end();
    } else {
      const shown = tokenOf(request);
      const verified = await jwtVerify(shown, publicKey, { issuer, audience }).catch(() => undefined);
      const isTaken = verified?.payload["login"] === logins;
      response.writeHead(isTaken ? 200 : 401, isTaken ? { "x-edge-token": shown } : {}).end();
    }
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  return {
    port,
    issuer,
    audience,
    keysAddress: `http://127.0.0.1:${port}/cdn-cgi/access/certs`,
    endLogins: () => {
      logins += 1;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

function tokenOf({ headers }: IncomingMessage): string {
  const cookie = /CF_Authorization=([^;]+)/.exec(headers.cookie ?? "")?.[1];
  return cookie ?? String(headers["cf-access-token"] ?? "");
}
