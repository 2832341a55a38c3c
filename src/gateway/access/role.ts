/** What somebody may do, on the whole gateway or in one workspace: each role includes those before it. */
const ROLES = ["viewer", "user", "admin"] as const;

export type Role = (typeof ROLES)[number];

export function includesRole(held: Role | undefined, wanted: Role): boolean {
  return held !== undefined && ROLES.indexOf(held) >= ROLES.indexOf(wanted);
}

/** The one that permits more. */
export function strongerRole(one: Role | undefined, other: Role | undefined): Role | undefined {
  return one !== undefined && (other === undefined || includesRole(one, other)) ? one : other;
}
