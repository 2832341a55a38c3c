/**
 * What a sandbox has to know of its image: whom and where it runs, what it sets, whom it trusts, which shell it has. Looked
 * up in a container of it that is never started.
 */
import { posix } from "node:path";
import { extract } from "tar-stream";
import { type Engine, ifThere } from "../../../engine/engine.ts";
import { certificatesIn } from "../../../net/certificates-in.ts";
import { systemBundleFiles } from "../../../net/system-certificates.ts";
import { failedPrecondition } from "../../refuse.ts";

export interface ImageFacts {
  readonly id: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly workdir: string | undefined;
  readonly user: { readonly uid: number; readonly gid: number };
  readonly passwd: string;
  /** The files of its trust store that exist, links resolved. */
  readonly trustFiles: readonly string[];
  /** The authorities in them, in PEM. */
  readonly certificates: string;
  readonly shell: string;
  /** The policy (YAML) that it brings, for sandboxes that are given none. */
  readonly policy: string | undefined;
}

/** The agent is nobody else's user by accident, and never root, whatever the image says. */
const SANDBOX_ID = 1000;
const MAX_LINKS = 8;
/** Where an image says what its programs may do. */
export const POLICY_FILE = "/etc/openshell/policy.yaml";

interface ImageDescription {
  readonly Id: string;
  readonly Config: {
    readonly Env?: readonly string[] | null;
    readonly User?: string;
    readonly WorkingDir?: string;
  };
}

/** What has been looked up, by the images' own numbers: what is under such a one never changes. */
export class Images {
  readonly #engine: Engine;
  readonly #known = new Map<string, Promise<ImageFacts>>();

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** Of an image that the engine has. Throws FAILED_PRECONDITION where it does not. */
  async facts(image: string): Promise<ImageFacts> {
    requireImageName(image);
    const description = await ifThere(this.#engine.image<ImageDescription>(image));
    if (description === undefined) throw failedPrecondition(`${this.#engine.name} has no image ${image}`);
    const known = this.#known.get(description.Id) ?? lookInto(this.#engine, description);
    this.#known.set(description.Id, known);
    known.catch(() => this.#known.delete(description.Id));
    return await known;
  }
}

async function lookInto(engine: Engine, { Id: id, Config: config }: ImageDescription): Promise<ImageFacts> {
  const body = { Image: id, Entrypoint: ["/none"], HostConfig: { NetworkMode: "none" } };
  const created = JSON.parse((await engine.post("/containers/create", { body })).toString()) as { Id: string };
  try {
    const files = new ImageFiles(engine, created.Id);
    const environment = environmentOf(config.Env ?? []);
    const passwd = (await files.text("/etc/passwd")) ?? "";
    const stores = [...systemBundleFiles, environment["SSL_CERT_FILE"] ?? ""].filter((path) => path.startsWith("/"));
    const found = new Map<string, string>();
    for (const store of stores) {
      const file = await files.file(store);
      if (file) found.set(file.path, file.text);
    }
    const workdir = config.WorkingDir;
    return {
      id,
      environment,
      workdir: workdir === "" || workdir === "/" ? undefined : workdir,
      user: userOf(config.User ?? "", passwd, await files.text("/etc/group")),
      passwd,
      trustFiles: [...found.keys()],
      certificates: certificatesIn([...found.values()].join("\n")),
      shell: (await files.file("/bin/bash")) ? "/bin/bash" : "/bin/sh",
      policy: await files.text(POLICY_FILE),
    };
  } finally {
    await engine.delete(`/containers/${created.Id}`, { force: "1", v: "1" });
  }
}

/** Parts of a path that lead elsewhere in the API are no image. Throws FAILED_PRECONDITION. */
export function requireImageName(image: string): void {
  if (!/^[\w][\w.\-/:@]{0,512}$/.test(image) || image.includes("..")) {
    throw failedPrecondition(`"${image}" is not an image's name`);
  }
}

/** Reads files out of a container that does not run. */
class ImageFiles {
  readonly #engine: Engine;
  readonly #container: string;

  constructor(engine: Engine, container: string) {
    this.#engine = engine;
    this.#container = container;
  }

  async text(path: string): Promise<string | undefined> {
    return (await this.file(path))?.text;
  }

  /** A regular file, after its links; undefined if there is none. */
  async file(path: string, links = 0): Promise<{ readonly path: string; readonly text: string } | undefined> {
    const asked = this.#engine.getBytes(`/containers/${this.#container}/archive`, { path });
    const archive = await ifThere(asked);
    if (archive === undefined || links > MAX_LINKS) return undefined;
    const entry = await firstEntry(archive);
    if (entry?.link !== undefined) return await this.file(posix.resolve(posix.dirname(path), entry.link), links + 1);
    return entry && { path, text: entry.text };
  }
}

function firstEntry(archive: Buffer): Promise<{ readonly text: string; readonly link?: string } | undefined> {
  const reader = extract();
  return new Promise((resolve, reject) => {
    reader.on("entry", (header, stream) => {
      const parts: Buffer[] = [];
      stream.on("data", (part) => parts.push(part as Buffer));
      stream.on("end", () => {
        const text = Buffer.concat(parts).toString("utf8");
        if (header.type === "file") resolve({ text });
        else resolve(header.type === "symlink" ? { text, link: header.linkname ?? "" } : undefined);
        reader.destroy();
      });
    });
    reader.on("finish", () => resolve(undefined));
    reader.on("error", reject);
    reader.end(archive);
  });
}

function environmentOf(lines: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    lines.map((line) => {
      const [name = "", ...value] = line.split("=");
      return [name, value.join("=")];
    }),
  );
}

/**
 * Whom the image's programs run as: its USER, unless that is root. Names are looked up in the image's own files, as an engine
 * would. Throws FAILED_PRECONDITION for one that is not in there.
 */
export function userOf(user: string, passwd: string, group = ""): ImageFacts["user"] {
  const [name = "", groupName] = user.split(":");
  const entry = lineOf(passwd, name);
  const uid = numberOf(name) ?? numberOf(entry?.[2]);
  if (name !== "" && uid === undefined)
    throw failedPrecondition(`the image's user "${name}" is not in its /etc/passwd`);
  if (uid === undefined || uid === 0) return { uid: SANDBOX_ID, gid: SANDBOX_ID };
  const own = groupName === undefined ? numberOf((entry ?? byNumber(passwd, uid))?.[3]) : undefined;
  const gid = numberOf(groupName) ?? numberOf(lineOf(group, groupName ?? "")?.[2]) ?? own ?? uid;
  return { uid, gid: gid === 0 ? uid : gid };
}

const lineOf = (file: string, name: string) =>
  file
    .split("\n")
    .map((line) => line.split(":"))
    .find(([first]) => first === name && name !== "");

const byNumber = (file: string, uid: number) =>
  file
    .split("\n")
    .map((line) => line.split(":"))
    .find(([, , number]) => number === String(uid));

const numberOf = (text: string | undefined) =>
  text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : undefined;
