/**
 * What YAML and the API's message have in common: maps, lists and scalars. One reader makes a policy of both, so that a
 * policy means the same whichever way it came.
 */
import type { KeyPath, Place } from "./problem.ts";

export type Tree = MapTree | ListTree | ScalarTree;

export interface MapTree {
  readonly kind: "map";
  readonly at?: Place;
  readonly entries: readonly MapEntry[];
}

export interface MapEntry {
  readonly key: string;
  /** Where the key stands. */
  readonly at?: Place;
  readonly value: Tree;
}

export interface ListTree {
  readonly kind: "list";
  readonly at?: Place;
  readonly items: readonly Tree[];
}

export interface ScalarTree {
  readonly kind: "scalar";
  readonly at?: Place;
  readonly value: string | number | boolean | null;
}

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** A tree without places. */
export function treeFromJson(json: Json): Tree {
  if (json === null || typeof json !== "object") return { kind: "scalar", value: json };
  if (isList(json)) return { kind: "list", items: json.map(treeFromJson) };
  return { kind: "map", entries: Object.entries(json).map(([key, value]) => ({ key, value: treeFromJson(value) })) };
}

/** The tree's value as plain data. */
export function jsonFromTree(tree: Tree): Json {
  switch (tree.kind) {
    case "scalar":
      return tree.value;
    case "list":
      return tree.items.map(jsonFromTree);
    case "map":
      return Object.fromEntries(tree.entries.map(({ key, value }) => [key, jsonFromTree(value)]));
    default:
      return tree satisfies never;
  }
}

function isList(json: Json): json is readonly Json[] {
  return Array.isArray(json);
}

/** Where the value of a key stands, or of as much of the key as there is. */
export function placeOf(tree: Tree, key: KeyPath): Place | undefined {
  let place = tree.at;
  let current: Tree | undefined = tree;
  for (const part of key) {
    if (current?.kind === "map") {
      const entry: MapEntry | undefined = current.entries.find((candidate) => candidate.key === part);
      current = entry?.value;
      place = current?.at ?? entry?.at ?? place;
    } else if (current?.kind === "list" && typeof part === "number") {
      current = current.items[part];
      place = current?.at ?? place;
    } else {
      break;
    }
  }
  return place;
}
