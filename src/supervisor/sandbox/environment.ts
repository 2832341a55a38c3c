/**
 * The environment of programs in the sandbox: what its image sets, where the proxy is, what to trust, and what the user
 * asked for. The user's own values win, except where they would only break what can't be got around anyway; an image's
 * only over what is a matter of taste.
 */
import { AUTHORITY, TRUST_BUNDLE } from "./trust-files.ts";

const PROXY = "http://127.0.0.1:3128";
/**
 * Programs on the sandbox's own loopback are reached without the proxy, which would refuse them. The last without
 * brackets: httpx, on which the Python SDKs of OpenAI and Anthropic stand, takes what is in them for a port and gives up.
 */
const NO_PROXY = "localhost,127.0.0.1,::1";

/** Variables by which programs find the certificates they trust, each the whole bundle. */
const bundleVariables = [
  "SSL_CERT_FILE",
  "REQUESTS_CA_BUNDLE",
  "CURL_CA_BUNDLE",
  "GIT_SSL_CAINFO",
  "PIP_CERT",
  "CARGO_HTTP_CAINFO",
  "DENO_CERT",
  "AWS_CA_BUNDLE",
  "NIX_SSL_CERT_FILE",
  "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH",
  "BUNDLE_SSL_CA_CERT",
];

/** The variables that every program in the sandbox starts with. */
export function sandboxEnvironment(
  sandboxName: string,
  requested: Readonly<Record<string, string>>,
  image: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const proxies = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"].flatMap((name) => [name, name.toLowerCase()]);
  return {
    PATH: "/sandbox/.local/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    LANG: "C.UTF-8",
    ...image,
    HOME: "/sandbox",
    USER: "sandbox",
    LOGNAME: "sandbox",
    SHELL: "/bin/bash",
    TERM: "xterm-256color",
    TMPDIR: "/tmp",
    OPENSHELL_SANDBOX: sandboxName,
    ...Object.fromEntries(proxies.map((name) => [name, PROXY])),
    NO_PROXY,
    no_proxy: NO_PROXY,
    NODE_USE_ENV_PROXY: "1",
    ...Object.fromEntries(bundleVariables.map((name) => [name, TRUST_BUNDLE])),
    // Node adds these to its own roots, so that the authority alone is enough.
    NODE_EXTRA_CA_CERTS: AUTHORITY,
    ...requested,
  };
}
