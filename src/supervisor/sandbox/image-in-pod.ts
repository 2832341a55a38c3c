/**
 * What a supervisor has to know of the image that its sandbox is made from, where no engine could tell the gateway: in a
 * pod it looks at init, which nothing but the image has given its environment, its folder and its files.
 */
import { existsSync, lstatSync, readFileSync, readlinkSync } from "node:fs";
import { join, posix } from "node:path";
import { certificatesIn } from "../../net/certificates-in.ts";
import { systemBundleFiles } from "../../net/system-certificates.ts";

export interface ImageInPod {
  /** What its programs find in their environment. */
  readonly environment: Readonly<Record<string, string>>;
  /** Undefined: none of its own. */
  readonly workdir: string | undefined;
  readonly shell: string;
  /** The authorities that it trusts, in PEM. */
  readonly certificates: string;
}

/** Nothing that is read there may be larger: the image is untrusted. */
const MAX_FILE_BYTES = 4 * 1024 * 1024;
const MAX_LINKS = 8;
/** The cluster's own, which are no programs' business; the second is the pod's name. */
const notTheImages = /^(KUBERNETES_\w*|HOSTNAME)$/;

/** `initPid` has done nothing yet; `hidden` are the variables that its container has in place of the image's. */
export function lookAtImage(initPid: number, hidden: readonly string[]): ImageInPod {
  const root = `/proc/${initPid}/root`;
  const environment = environmentOf(readFileSync(`/proc/${initPid}/environ`, "utf8"), hidden);
  const workdir = readlinkSync(`/proc/${initPid}/cwd`);
  const stores = [...systemBundleFiles, environment["SSL_CERT_FILE"] ?? ""].filter((path) => path.startsWith("/"));
  return {
    environment,
    workdir: workdir === "/" ? undefined : workdir,
    shell: existsSync(join(root, "bin/bash")) ? "/bin/bash" : "/bin/sh",
    certificates: certificatesIn(stores.map((path) => textIn(root, path)).join("\n")),
  };
}

function environmentOf(block: string, hidden: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    block.split("\0").flatMap((line) => {
      const [name = "", ...value] = line.split("=");
      return name === "" || notTheImages.test(name) || hidden.includes(name) ? [] : [[name, value.join("=")]];
    }),
  );
}

/**
 * A file of the image's; empty where there is none. Its links are followed one by one below its root: an absolute one means
 * a file of the image's, not of this container's.
 */
function textIn(root: string, path: string, links = 0): string {
  const here = join(root, path);
  const stat = lstatSync(here, { throwIfNoEntry: false });
  if (stat?.isSymbolicLink() && links < MAX_LINKS) {
    return textIn(root, posix.resolve(posix.dirname(path), readlinkSync(here)), links + 1);
  }
  // A pipe would keep this process for ever.
  return stat?.isFile() && stat.size <= MAX_FILE_BYTES ? readFileSync(here, "utf8") : "";
}
