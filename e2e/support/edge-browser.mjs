#!/usr/bin/env node
// For BROWSER: comes to the gateway's page through the proxy's login, and connects, after others have tried to.
import { execFileSync } from "node:child_process";
import { join } from "node:path";

const address = new URL(process.argv[2]);
const jar = join(process.env.HOME, "cookies");
const curl = (...args) => execFileSync("curl", ["-sS", "-b", jar, "-c", jar, ...args], { encoding: "utf8" });
const page = curl("-L", address.href);
const [, code] = /code <b>([A-Z0-9-]+)<\/b>/.exec(page) ?? [];
const [, body] = /JSON\.stringify\((\{.*?\})\)/.exec(page) ?? [];
const [, callback] = /fetch\("([^"]+)"/.exec(page) ?? [];
if (code !== address.searchParams.get("code")) throw new Error(`the page shows ${code}: ${page}`);
const told = (origin, token, shown) => {
  const json = JSON.stringify({ token, code: shown });
  const headers = ["-H", `Origin: ${origin}`, "-H", "Content-Type: application/json"];
  return curl("-o", "/dev/null", "-w", "%{http_code}", ...headers, "-d", json, callback);
};
const [, token] = /token: "([^"]+)"/.exec(body);
const answers = [
  told("https://evil.example", "evil.evil.evil", code),
  told(address.origin, "evil.evil.evil", "AAA-AAAA"),
  told(address.origin, "evil\r\nx: y", code),
  told(address.origin, token, code),
];
if (answers.join() !== "403,403,403,200") throw new Error(`the command line answered ${answers}`);
