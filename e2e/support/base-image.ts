/**
 * The root file system of the image that sandboxes are made from in tests: what the machine's own Debian packages have put
 * on its disk, of those packages that the tests run programs of. So there is nothing to download, and the same programs
 * are in a sandbox whatever made it.
 */
import { execFileSync } from "node:child_process";
import { globSync, lstatSync, readlinkSync, realpathSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";

/** With all that they depend on. Those that the machine lacks are left out, as the tests leave out what needs them. */
const wanted = [
  ...["bash", "coreutils", "dash", "diffutils", "findutils", "grep", "gzip", "hostname", "mawk", "sed", "tar"],
  ...["apt", "base-files", "base-passwd", "ca-certificates", "libc-bin", "login", "mount", "util-linux"],
  ...["bind9-dnsutils", "curl", "git", "iproute2", "nftables", "openssh-client", "openssl", "procps", "python3"],
  ...["nodejs", "npm", "python3-pip", "rsync"],
];

/** Big, and no program's. */
const leftOut = /^\/usr\/share\/(doc|info|locale|man)\//;

/** Packs it, and gives the archive's path. Throws on a machine that is no Debian. */
export function packBaseImage(directory: string): string {
  const archive = join(directory, "base.tar");
  const list = join(directory, "base.list");
  const paths = new Set([...filesOf(closureOf(wanted)), ...alternatives(), ...linksOfRoot(), ...npmFiles()]);
  writeFileSync(list, [...paths].map((path) => `.${path}\0`).join(""));
  tar("-cf", archive, "--no-recursion", "--null", "--files-from", list);
  // As a whole, since much in there is made at installation and belongs to no package.
  tar("-rf", archive, "./etc");
  return archive;
}

function tar(...args: readonly string[]): void {
  execFileSync("tar", ["-C", "/", ...args], { stdio: ["ignore", "ignore", "inherit"] });
}

/** The packages of these that are installed, and all that they need. */
function closureOf(names: readonly string[]): string[] {
  const needs = new Map<string, string[]>();
  const format = ["Package", "Provides", "Pre-Depends", "Depends"].map((field) => `\${${field}}`).join("\t");
  const installed = execFileSync("dpkg-query", ["--show", "--showformat", `${format}\n`], { encoding: "utf8" });
  const providers = new Map<string, string>();
  for (const line of installed.trimEnd().split("\n")) {
    const [name = "", provided = "", before = "", needed = ""] = line.split("\t");
    needs.set(name, namesIn(`${before},${needed}`));
    for (const other of namesIn(provided)) providers.set(other, name);
  }
  const found = new Set<string>();
  const open = [...names];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    const known = needs.has(name) ? name : providers.get(name);
    if (known === undefined || found.has(known)) continue;
    found.add(known);
    open.push(...(needs.get(known) ?? []));
  }
  return [...found];
}

/** `libc6 (>= 2.34), mailcap | mime-support`: whichever of two is there will do. */
const namesIn = (relation: string) =>
  relation
    .split(/[,|]/)
    .map((part) => part.trim().split(/[\s:(]/)[0] ?? "")
    .filter(Boolean);

function filesOf(packages: readonly string[]): string[] {
  const directories = new Map<string, string>();
  const realDirectory = (path: string): string => {
    const known = directories.get(path) ?? realpathSync(path);
    directories.set(path, known);
    return known;
  };
  const listed = execFileSync("dpkg-query", ["--listfiles", ...packages], { encoding: "utf8", maxBuffer: 1 << 28 });
  return listed
    .split("\n")
    .filter((path) => path.startsWith("/") && path !== "/." && !leftOut.test(path) && !path.startsWith("/etc"))
    .filter((path) => lstatSync(path, { throwIfNoEntry: false }) !== undefined)
    .map((path) => join(realDirectory(dirname(path)), basename(path)));
}

/** Links that update-alternatives(1) has made. */
function alternatives(): string[] {
  return globSync("/usr/{bin,sbin}/*").filter(
    (path) => lstatSync(path).isSymbolicLink() && readlinkSync(path).startsWith("/etc/alternatives/"),
  );
}

/** `/bin` and its like, where they have been merged into `/usr`. */
const linksOfRoot = () => globSync("/*").filter((path) => lstatSync(path).isSymbolicLink());

/** Of a Node that is not Debian's, whose npm may have been brought up to date past the package. */
const npmFiles = () => globSync("/usr/lib/node_modules/npm/**");
