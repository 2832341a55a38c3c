/**
 * A login at the proxy in front of a gateway: in the user's browser, which the proxy lets through to the gateway's page once it
 * has logged in, and which that page has send the proxy's token to a port of this machine.
 */
import { randomInt, timingSafeEqual } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import type { CommandContext } from "../command-context.ts";
import { CommandFailure } from "../command-failure.ts";
import { LOGIN_TIMEOUT_MS, openBrowser } from "./open-browser.ts";

/** Without letters and digits that look alike. */
const CODE_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
/** What can stand in a cookie: a token with anything else would be another header, or another cookie. */
const TOKEN = /^[A-Za-z0-9._~-]{1,8192}$/;

/** Gives the proxy's token. Throws CommandFailure. */
export async function loginAtEdge(endpoint: string, context: CommandContext): Promise<string> {
  const code = makeCode();
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  promise.catch(() => {});
  const server = createServer((request, response) => void takeCallback(request, response, { endpoint, code, resolve }));
  await once(server.listen(0, "127.0.0.1"), "listening");
  const timer = setTimeout(() => {
    reject(new CommandFailure("nobody logged in within five minutes", { code: "deadline_exceeded" }));
  }, LOGIN_TIMEOUT_MS);
  const { port } = server.address() as AddressInfo;
  const address = new URL(`/auth/connect?callback_port=${port}&code=${code}`, endpoint);
  context.note(`log in at:\n  ${address}\nand connect where the page shows the code ${code}`);
  openBrowser(address, context);
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    server.close();
    server.closeIdleConnections();
  }
}

function makeCode(): string {
  const letters = Array.from({ length: 7 }, () => CODE_LETTERS[randomInt(CODE_LETTERS.length)] ?? "A");
  return `${letters.slice(0, 3).join("")}-${letters.slice(3).join("")}`;
}

interface Expected {
  readonly endpoint: string;
  readonly code: string;
  readonly resolve: (token: string) => void;
}

/** Only the gateway's page may send, and only with the code; what else comes changes nothing. */
async function takeCallback(request: IncomingMessage, response: ServerResponse, expected: Expected): Promise<void> {
  const { endpoint, code, resolve } = expected;
  const isCallback = request.url === "/callback" && request.headers.origin === endpoint;
  const isAsked = request.method === "OPTIONS" || request.method === "POST";
  if (!isCallback || !isAsked) return void response.writeHead(403).end();
  response.setHeader("access-control-allow-origin", endpoint);
  response.setHeader("access-control-allow-headers", "content-type");
  response.setHeader("access-control-allow-private-network", "true");
  response.setHeader("connection", "close");
  if (request.method === "OPTIONS") return void response.writeHead(204).end();
  const said = parse(await text(request));
  const isOurs = said !== undefined && isSame(said.code, code) && TOKEN.test(said.token);
  response.writeHead(isOurs ? 200 : 403).end();
  if (isOurs) resolve(said.token);
}

function parse(body: string): { readonly token: string; readonly code: string } | undefined {
  try {
    const { token, code } = JSON.parse(body) as { token?: unknown; code?: unknown };
    return typeof token === "string" && typeof code === "string" ? { token, code } : undefined;
  } catch {
    return undefined;
  }
}

function isSame(one: string, other: string): boolean {
  return one.length === other.length && timingSafeEqual(Buffer.from(one), Buffer.from(other));
}
