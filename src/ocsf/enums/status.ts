/** Whether what an event tells of came off. Detection findings have a status of their own: see their class. */
export type Status = "success" | "failure";

export interface StatusAttributes {
  readonly status_id: number;
  readonly status: string;
}

export const statuses: Readonly<Record<Status, StatusAttributes>> = {
  success: { status_id: 1, status: "Success" },
  failure: { status_id: 2, status: "Failure" },
};
