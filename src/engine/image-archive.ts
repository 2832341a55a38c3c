/**
 * The runtime's image as a file, for who has no engine beside the gateway: a cluster's nodes get it from a registry, or have
 * it loaded. In the form of `docker save`, which docker, podman, skopeo and containerd read.
 */
import { createHash } from "node:crypto";
import { createWriteStream, existsSync } from "node:fs";
import { relative } from "node:path";
import { buffer } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { pack } from "tar-stream";
import { systemBundleFiles } from "../net/system-certificates.ts";
import { archiveOf, RUNTIME, type RuntimeFile, runtimeFiles } from "./runtime-image.ts";

/** What other programs call this machine's processor. */
const architecture = process.arch === "x64" ? "amd64" : process.arch;
/** As in every image that is made of the same files. */
const CREATED = "1970-01-01T00:00:00Z";

/** Writes the image to a file that must not exist. `entry` is the supervisor's program, `name` what the image is called. */
export async function writeRuntimeImage(file: string, entry: string, name: string): Promise<void> {
  const layer = await buffer(archiveOf([...runtimeFiles(entry), ...machineAuthorities()]));
  const digest = createHash("sha256").update(layer).digest("hex");
  const config = JSON.stringify({
    architecture,
    os: "linux",
    created: CREATED,
    config: { WorkingDir: "/" },
    rootfs: { type: "layers", diff_ids: [`sha256:${digest}`] },
    history: [{ created: CREATED, created_by: "openshell gateway image" }],
  });
  const configName = `${createHash("sha256").update(config).digest("hex")}.json`;
  const manifest = JSON.stringify([{ Config: configName, RepoTags: [name], Layers: [`${digest}/layer.tar`] }]);
  const archive = pack();
  const written = pipeline(archive, createWriteStream(file, { flags: "wx" }));
  const mtime = new Date(0);
  archive.entry({ name: configName, mtime }, config);
  archive.entry({ name: `${digest}/layer.tar`, mtime, size: layer.length }, layer);
  archive.entry({ name: "manifest.json", mtime }, manifest);
  archive.finalize();
  await written;
}

/** Whom this machine trusts: the image has nobody of its own, and upstreams are to be verified by its gateway's supervisors. */
function machineAuthorities(): RuntimeFile[] {
  const source = systemBundleFiles.find((path) => existsSync(path));
  return source === undefined ? [] : [{ source, name: relative(RUNTIME, systemBundleFiles[0] ?? "") }];
}
