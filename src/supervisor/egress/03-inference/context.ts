/** What calls to models need besides the connection. Made once for each sandbox. */
import type { RouteTable } from "../../../inference/route-table.ts";
import type { SandboxAuthority } from "../07-terminate/certificate-authority.ts";
import type { EgressContext } from "../context.ts";
import type { BackendPool } from "./backend-pool.ts";
import type { Budgets } from "./budgets.ts";
import type { HeldBodies } from "./call-bytes.ts";
import type { RouteEchoes } from "./mask-echoes.ts";

export interface InferenceContext extends Pick<EgressContext, "sandboxName" | "audit" | "newId" | "now" | "onDefect"> {
  /** The routes in force now. Asked again for each call. */
  readonly routes: () => RouteTable;
  readonly authority: SandboxAuthority;
  readonly pool: BackendPool;
  readonly budgets: Budgets;
  readonly held: HeldBodies;
  readonly echoes: RouteEchoes;
}
