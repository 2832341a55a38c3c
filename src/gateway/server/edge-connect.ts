/**
 * `/auth/connect`: where a login at a proxy in front of the gateway is handed to the command line that asked for it. The
 * proxy lets only those come here who have logged in, with its token in a cookie that scripts can't read. The page shows the
 * code that the command line shows as well, and sends the token to that one's port when its user says so: whoever sends
 * somebody a link to here, with a port of their own, shows another code.
 */
import { randomBytes } from "node:crypto";
import type { connectNodeAdapter } from "@connectrpc/connect-node";

type Handler = ReturnType<typeof connectNodeAdapter>;

/** Of Cloudflare Access, and of what does as it does. */
const COOKIE = /(?:^|;\s*)CF_Authorization=([A-Za-z0-9._~-]+)(?:;|$)/;
/** As command lines make it: nothing that a page must escape. */
const CODE = /^[A-Z0-9]{3}-[A-Z0-9]{4}$/;

/** Answers the page, and hands everything else on. */
export function answerEdgeConnect(otherwise: Handler): Handler {
  return (request, response) => {
    const url = new URL(request.url ?? "/", "https://gateway.invalid");
    if (request.method !== "GET" || url.pathname !== "/auth/connect") return otherwise(request, response);
    const code = url.searchParams.get("code") ?? "";
    const port = Number(url.searchParams.get("callback_port"));
    const nonce = randomBytes(16).toString("base64url");
    const policy = `default-src 'none'; script-src 'nonce-${nonce}'; connect-src http://127.0.0.1:*; frame-ancestors 'none'`;
    const answer = (status: number, body: string) => {
      response.statusCode = status;
      response.setHeader("content-type", "text/html; charset=utf-8");
      response.setHeader("cache-control", "no-store");
      response.setHeader("referrer-policy", "no-referrer");
      response.setHeader("content-security-policy", policy);
      response.end(`<!DOCTYPE html><title>OpenShell</title><body>${body}</body>`);
    };
    if (!CODE.test(code) || !Number.isInteger(port) || port < 1 || port > 65_535) {
      return answer(400, "<p>This link is not one of a command line's.</p>");
    }
    const token = COOKIE.exec(request.headers.cookie ?? "")?.[1];
    if (token === undefined)
      return answer(401, "<p>No login came along: is there a proxy in front that has its users log in?</p>");
    answer(200, connectPage({ code, port, token, nonce }));
  };
}

interface Connecting {
  readonly code: string;
  readonly port: number;
  readonly token: string;
  readonly nonce: string;
}

/** All of it has been checked against what can stand in a page. */
function connectPage({ code, port, token, nonce }: Connecting): string {
  return `<p>A command line asks to be logged in. It must show the code <b>${code}</b>.</p>
<button id="connect">Connect</button> <span id="said"></span>
<script nonce="${nonce}">
const said = document.getElementById("said");
document.getElementById("connect").onclick = async () => {
  try {
    const body = JSON.stringify({ token: "${token}", code: "${code}" });
    const headers = { "content-type": "application/json" };
    const { ok } = await fetch("http://127.0.0.1:${port}/callback", { method: "POST", headers, body });
    said.textContent = ok ? "You are logged in. This window can be closed." : "It was refused. The command line says why.";
  } catch { said.textContent = "The command line does not answer: start the login again."; }
};
</script>`;
}
