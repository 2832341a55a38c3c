/**
 * How a cluster's API is reached and what is shown there: by what a pod is given where the gateway runs in the cluster, else
 * by a kubeconfig, of which the parts are taken that need no other program.
 */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { parse } from "yaml";

export interface ClusterAccess {
  readonly server: URL;
  /** PEM; absent: the system's authorities. */
  readonly authority?: string;
  /** The bearer token of this moment: one that a cluster gives a pod is changed within the hour. */
  readonly token?: () => string;
  /** PEM, both. */
  readonly client?: { readonly certificate: string; readonly key: string };
}

/** Where a kubelet puts what a pod shows; see "Access the Kubernetes API from a Pod" in its documentation. */
const SERVICE_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount";

interface Kubeconfig {
  readonly "current-context"?: string;
  readonly contexts?: readonly { readonly name: string; readonly context: Record<string, string> }[];
  readonly clusters?: readonly { readonly name: string; readonly cluster: Record<string, string> }[];
  readonly users?: readonly { readonly name: string; readonly user: Record<string, unknown> }[];
}

/**
 * `kubeconfig` is a file's path; absent: the pod's own access, or the file that KUBECONFIG names.
 * @throws Error that says what is missing, and where
 */
export function findClusterAccess(kubeconfig: string | undefined, env: NodeJS.ProcessEnv): ClusterAccess {
  const host = env["KUBERNETES_SERVICE_HOST"];
  const tokenPath = join(SERVICE_ACCOUNT, "token");
  if (kubeconfig === undefined && host !== undefined && existsSync(tokenPath)) {
    const name = host.includes(":") ? `[${host}]` : host;
    return {
      server: new URL(`https://${name}:${env["KUBERNETES_SERVICE_PORT"] ?? "443"}`),
      authority: readFileSync(join(SERVICE_ACCOUNT, "ca.crt"), "utf8"),
      token: () => readFileSync(tokenPath, "utf8").trim(),
    };
  }
  const path = kubeconfig ?? env["KUBECONFIG"];
  if (path === undefined) {
    throw new Error(
      "there is no cluster: set `kubeconfig` in kubernetes.yaml, or KUBECONFIG, or run the gateway in a pod",
    );
  }
  return readKubeconfig(path);
}

/** @throws Error that says what the file lacks */
export function readKubeconfig(path: string): ClusterAccess {
  const file = parse(readFileSync(path, "utf8")) as Kubeconfig;
  const wrong = (what: string) => new Error(`${path}: ${what}`);
  const chosen = file.contexts?.find(({ name }) => name === file["current-context"])?.context;
  if (chosen === undefined) throw wrong("has no current context");
  const cluster = file.clusters?.find(({ name }) => name === chosen["cluster"])?.cluster;
  const user = file.users?.find(({ name }) => name === chosen["user"])?.user ?? {};
  const server = URL.parse(cluster?.["server"] ?? "");
  if (cluster === undefined || server === null) throw wrong(`has no server for the cluster "${chosen["cluster"]}"`);
  if (server.protocol !== "https:")
    throw wrong(`${server.href} must be an https:// address: what is sent there is secret`);
  for (const helper of ["exec", "auth-provider"]) {
    if (user[helper] !== undefined)
      throw wrong(`logs in by \`${helper}\`, which runs another program: use a token or a certificate`);
  }
  const part = (of: Record<string, unknown>, name: string) => partOf(of, name, dirname(path));
  const authority = part(cluster, "certificate-authority");
  const certificate = part(user, "client-certificate");
  const key = part(user, "client-key");
  const token = tokenOf(user, dirname(path));
  return {
    server,
    ...(authority !== undefined && { authority }),
    ...(token && { token }),
    ...(certificate !== undefined && key !== undefined && { client: { certificate, key } }),
  };
}

function tokenOf(user: Record<string, unknown>, directory: string): (() => string) | undefined {
  const { token, tokenFile } = user;
  if (typeof token === "string") return () => token;
  if (typeof tokenFile !== "string") return undefined;
  return () => readFileSync(resolve(directory, tokenFile), "utf8").trim();
}

/** In the file itself, in base64, or in a file beside it. */
function partOf(of: Record<string, unknown>, name: string, directory: string): string | undefined {
  const { [`${name}-data`]: data, [name]: file } = of;
  if (typeof data === "string") return Buffer.from(data, "base64").toString("utf8");
  return typeof file === "string" ? readFileSync(resolve(directory, file), "utf8") : undefined;
}
