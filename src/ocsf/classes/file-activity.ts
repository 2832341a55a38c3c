/** OCSF class 1001, File System Activity: a program tried to change a file that it may not change. */
import { type EventHead, eventHead, type Occasion } from "../event-head.ts";
import { type Process, type ProcessFile, processFile } from "../objects/process.ts";
import { type Ruling, type RulingAttributes, rulingAttributes } from "../ruling.ts";

/** Of the class's activities, those that change something. */
export type FileActivityName = keyof typeof activities;

const activities = {
  create: { id: 1, name: "Create" },
  update: { id: 3, name: "Update" },
  delete: { id: 4, name: "Delete" },
  rename: { id: 5, name: "Rename" },
} as const;

const fileActivityClass = {
  uid: 1001,
  name: "File System Activity",
  categoryUid: 1,
  categoryName: "System Activity",
} as const;

export interface FileActivity extends EventHead<1001>, RulingAttributes {
  readonly actor: { readonly process: Process };
  readonly file: Omit<ProcessFile, "hashes">;
}

export interface FileActivityFacts {
  readonly ruling: Ruling;
  readonly activity: FileActivityName;
  readonly process: Process;
  readonly path: string;
}

export function fileActivity(occasion: Occasion, { ruling, activity, process, path }: FileActivityFacts): FileActivity {
  return {
    ...eventHead(fileActivityClass, activities[activity], occasion),
    ...rulingAttributes(ruling),
    actor: { process },
    // 0 is Unknown: what is meant may be a directory, or not be there yet.
    file: { ...processFile(path), type_id: 0 },
  };
}
