import { join } from "node:path";

/** The file that says which cluster a gateway's sandboxes are in; where there is none, they are on its machine. */
export function kubernetesFilePath(configDirectory: string): string {
  return join(configDirectory, "kubernetes.yaml");
}
