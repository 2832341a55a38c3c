/** Built-in profiles of places that keep source and packages: reading, but no writing. */
import type { ProviderProfileJson } from "../../../gen/openshell/v1/provider_pb.ts";
import { anyProgram, api, bearer, gitFetch, header, programs } from "./parts.ts";
import { shapes } from "./shapes.ts";

const category = "PROVIDER_PROFILE_CATEGORY_SOURCE_CONTROL";

export const sourceControlProfiles: readonly ProviderProfileJson[] = [
  {
    id: "github",
    displayName: "GitHub",
    description: "REST and GraphQL read-only, git clone and fetch, no push.",
    category,
    credentials: [{ ...bearer(["GH_TOKEN", "GITHUB_TOKEN"], shapes.github), name: "token" }],
    endpoints: [
      api("api.github.com", "read-only"),
      { host: "api.github.com", port: 443, path: "/graphql", protocol: "graphql", access: "read-only" },
      gitFetch("github.com"),
    ],
    binaries: programs("/usr/bin/gh", "/usr/local/bin/gh", "/usr/bin/git", "/usr/local/bin/git"),
  },
  {
    id: "gitlab",
    displayName: "GitLab",
    description: "REST and GraphQL read-only, git clone and fetch, no push.",
    category,
    credentials: [{ ...header(["GITLAB_TOKEN"], "private-token", shapes.gitlab), name: "token" }],
    endpoints: [
      api("gitlab.com", "read-only", "/api/**"),
      { host: "gitlab.com", port: 443, path: "/api/graphql", protocol: "graphql", access: "read-only" },
      gitFetch("gitlab.com"),
    ],
    binaries: programs("/usr/bin/glab", "/usr/local/bin/glab", "/usr/bin/git", "/usr/local/bin/git"),
  },
  {
    id: "npm",
    displayName: "npm registry",
    description: "Bind its token to the registry that it is for with --config NPM_BASE_URL=….",
    category,
    credentials: [{ ...bearer(["NPM_TOKEN"], shapes.npm), name: "token" }],
    binaries: anyProgram,
  },
  {
    id: "pypi",
    displayName: "Python package index",
    description: "Bind its token to the index that it is for with --config PYPI_BASE_URL=….",
    category,
    credentials: [{ ...bearer(["PYPI_TOKEN"], shapes.pypi), name: "token", authStyle: "basic" }],
    binaries: anyProgram,
  },
];
