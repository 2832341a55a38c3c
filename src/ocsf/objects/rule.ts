/** OCSF objects `firewall_rule` and `policy`: what a decision was made by. */

export interface FirewallRule {
  readonly name: string;
}

export interface PolicyObject {
  readonly name: string;
  /** SHA-256 of the policy's canonical form, hex. */
  readonly uid?: string;
  /** Revision that the gateway gave it. */
  readonly version: string;
  /** Whether it is in force. */
  readonly is_applied?: boolean;
}

export function policyObject(revision: number, hash?: string, applied?: boolean): PolicyObject {
  return {
    name: "network",
    ...(hash && { uid: hash }),
    version: String(revision),
    ...(applied !== undefined && { is_applied: applied }),
  };
}
