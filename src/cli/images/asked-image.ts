/** What `--from` means: a folder or a Dockerfile to build from, an image, or the name of a community sandbox. */
import { existsSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import type { Environment } from "../command-context.ts";
import { usageFailure } from "../command-failure.ts";
import { imageName } from "../flags/meanings.ts";

export type AskedImage =
  /** `dockerfile` is in the folder. */
  | { readonly kind: "build"; readonly folder: string; readonly dockerfile: string }
  | { readonly kind: "image"; readonly image: string };

/** Where the published CLI finds community sandboxes, unless OPENSHELL_COMMUNITY_REGISTRY says otherwise. */
const COMMUNITY_REGISTRY = "ghcr.io/nvidia/openshell-community/sandboxes";
const USUAL_DOCKERFILES = ["Dockerfile", "Containerfile"];
/** Nobody writes an image's name so. */
const PATH_ALONE = /^(?:\.{0,2}\/|~\/|\.{1,2}$)|\/$/;

/** In the order of the published CLI, but for a folder without a Dockerfile whose name is also one of the community's. */
export function askedImage(typed: string, environment: Environment): AskedImage {
  const path = resolve(typed);
  const found = statSync(path, { throwIfNoEntry: false });
  if (found?.isFile() && isDockerfile(path)) {
    return { kind: "build", folder: dirname(path), dockerfile: basename(path) };
  }
  const dockerfile = found?.isDirectory() ? USUAL_DOCKERFILES.find((name) => existsSync(join(path, name))) : undefined;
  if (dockerfile !== undefined) return { kind: "build", folder: path, dockerfile };
  if (PATH_ALONE.test(typed)) throw notToBeBuilt(typed, found?.isDirectory());
  const image = imageName(typed);
  if (!image.ok) throw usageFailure(`--from ${image.problem}`);
  if (/[/:.]/.test(typed)) return { kind: "image", image: typed };
  const registry = environment["OPENSHELL_COMMUNITY_REGISTRY"] || COMMUNITY_REGISTRY;
  return { kind: "image", image: `${registry.replace(/\/+$/, "")}/${typed}:latest` };
}

const isDockerfile = (path: string) => /dockerfile|containerfile/i.test(basename(path));

function notToBeBuilt(typed: string, isFolder: boolean | undefined) {
  switch (isFolder) {
    case undefined:
      return usageFailure(`--from ${typed}: there is no such file or folder`);
    case true:
      return usageFailure(`--from ${typed}: there is no Dockerfile in this folder`, "name the Dockerfile itself");
    case false:
      return usageFailure(`--from ${typed}: a file to build from has "Dockerfile" in its name`);
  }
}
