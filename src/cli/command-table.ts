/**
 * All commands by noun and verb. A command's module is loaded only when it is the one to run, or for the help.
 */
import type { Command } from "./command.ts";

export type CommandLoader = () => Promise<{ readonly command: Command }>;

/** A noun with verbs (`sandbox create`). */
export interface Group {
  readonly kind: "group";
  readonly summary: string;
  readonly alias?: string;
  /** What the noun does without a verb; the help if there is none. */
  readonly alone?: CommandLoader;
  /** Other spellings of the first of two words. */
  readonly verbAliases?: Readonly<Record<string, string>>;
  /** By one word, or by two (`profile list`). */
  readonly verbs: Readonly<Record<string, CommandLoader>>;
}

/** A command of one word (`status`), or of two whose first is one as well (`logs verify`). */
export interface Single {
  readonly kind: "single";
  readonly summary: string;
  readonly alias?: string;
  /** For programs to call: the overview leaves it out. */
  readonly isHidden?: true;
  readonly load: CommandLoader;
}

export const commandTable: Readonly<Record<string, Group | Single>> = {
  sandbox: {
    kind: "group",
    summary: "make sandboxes and run commands in them",
    alias: "sb",
    verbs: {
      create: () => import("./commands/sandbox/create.ts"),
      list: () => import("./commands/sandbox/list.ts"),
      get: () => import("./commands/sandbox/get.ts"),
      delete: () => import("./commands/sandbox/delete.ts"),
      exec: () => import("./commands/sandbox/exec.ts"),
      "command list": () => import("./commands/sandbox/command-list.ts"),
      "command attach": () => import("./commands/sandbox/command-attach.ts"),
      "command stop": () => import("./commands/sandbox/command-stop.ts"),
      connect: () => import("./commands/sandbox/connect.ts"),
      "ssh-config": () => import("./commands/sandbox/ssh-config.ts"),
      "ssh-session list": () => import("./commands/ssh/sessions.ts"),
      "ssh-session revoke": () => import("./commands/ssh/revoke.ts"),
      wait: () => import("./commands/sandbox/wait.ts"),
      upload: () => import("./commands/sandbox/upload.ts"),
      download: () => import("./commands/sandbox/download.ts"),
      diff: () => import("./commands/sandbox/diff.ts"),
      apply: () => import("./commands/sandbox/apply.ts"),
      discard: () => import("./commands/sandbox/discard.ts"),
      "snapshot create": () => import("./commands/sandbox/snapshot-create.ts"),
      "snapshot list": () => import("./commands/sandbox/snapshot-list.ts"),
      "snapshot delete": () => import("./commands/sandbox/snapshot-delete.ts"),
      rollback: () => import("./commands/sandbox/rollback.ts"),
      fork: () => import("./commands/sandbox/fork.ts"),
      stop: () => import("./commands/sandbox/stop.ts"),
      start: () => import("./commands/sandbox/start.ts"),
      restart: () => import("./commands/sandbox/restart.ts"),
      "provider list": () => import("./commands/sandbox/provider-list.ts"),
      "provider attach": () => import("./commands/sandbox/provider-attach.ts"),
      "provider detach": () => import("./commands/sandbox/provider-detach.ts"),
    },
  },
  forward: {
    kind: "group",
    summary: "make a sandbox's ports reachable on this machine",
    alias: "fwd",
    verbs: {
      start: () => import("./commands/forward/start.ts"),
      stop: () => import("./commands/forward/stop.ts"),
      list: () => import("./commands/forward/list.ts"),
      service: () => import("./commands/forward/service.ts"),
    },
  },
  service: {
    kind: "group",
    summary: "give a sandbox's HTTP services a URL",
    alias: "svc",
    verbs: {
      expose: () => import("./commands/service/expose.ts"),
      list: () => import("./commands/service/list.ts"),
      get: () => import("./commands/service/get.ts"),
      delete: () => import("./commands/service/delete.ts"),
    },
  },
  policy: {
    kind: "group",
    summary: "see and change what a sandbox may reach",
    alias: "pol",
    verbs: {
      set: () => import("./commands/policy/set.ts"),
      update: () => import("./commands/policy/update.ts"),
      get: () => import("./commands/policy/get.ts"),
      list: () => import("./commands/policy/list.ts"),
      delete: () => import("./commands/policy/delete.ts"),
      history: () => import("./commands/policy/history.ts"),
      diff: () => import("./commands/policy/diff.ts"),
      explain: () => import("./commands/policy/explain.ts"),
      test: () => import("./commands/policy/test.ts"),
      learn: () => import("./commands/policy/learn.ts"),
      prove: () => import("./commands/policy/prove.ts"),
      "presets list": () => import("./commands/presets/list.ts"),
      "presets show": () => import("./commands/presets/show.ts"),
      "proposals list": () => import("./commands/proposals/list.ts"),
      "proposals show": () => import("./commands/proposals/show.ts"),
      "proposals approve": () => import("./commands/proposals/approve.ts"),
      "proposals approve-all": () => import("./commands/proposals/approve-all.ts"),
      "proposals reject": () => import("./commands/proposals/reject.ts"),
      "proposals edit": () => import("./commands/proposals/edit.ts"),
      "proposals undo": () => import("./commands/proposals/undo.ts"),
      "proposals clear": () => import("./commands/proposals/clear.ts"),
      "proposals history": () => import("./commands/proposals/history.ts"),
    },
  },
  provider: {
    kind: "group",
    summary: "keep credentials, which sandboxes use and never see",
    verbAliases: { profiles: "profile" },
    verbs: {
      create: () => import("./commands/provider/create.ts"),
      list: () => import("./commands/provider/list.ts"),
      get: () => import("./commands/provider/get.ts"),
      update: () => import("./commands/provider/update.ts"),
      rotate: () => import("./commands/provider/rotate.ts"),
      delete: () => import("./commands/provider/delete.ts"),
      "refresh status": () => import("./commands/provider/refresh-status.ts"),
      "refresh configure": () => import("./commands/provider/refresh-configure.ts"),
      "refresh rotate": () => import("./commands/provider/refresh-rotate.ts"),
      "refresh delete": () => import("./commands/provider/refresh-delete.ts"),
      "list-profiles": () => import("./commands/provider/profile-list.ts"),
      "profile list": () => import("./commands/provider/profile-list.ts"),
      "profile show": () => import("./commands/provider/profile-export.ts"),
      "profile export": () => import("./commands/provider/profile-export.ts"),
      "profile import": () => import("./commands/provider/profile-import.ts"),
      "profile update": () => import("./commands/provider/profile-update.ts"),
      "profile lint": () => import("./commands/provider/profile-lint.ts"),
      "profile delete": () => import("./commands/provider/profile-delete.ts"),
    },
  },
  inference: {
    kind: "group",
    summary: "choose the models that sandboxes may ask",
    verbs: {
      set: () => import("./commands/inference/set.ts"),
      update: () => import("./commands/inference/update.ts"),
      get: () => import("./commands/inference/get.ts"),
      list: () => import("./commands/inference/list.ts"),
      delete: () => import("./commands/inference/delete.ts"),
      test: () => import("./commands/inference/test.ts"),
      usage: () => import("./commands/inference/usage.ts"),
    },
  },
  rule: {
    kind: "group",
    summary: "`policy proposals` under the published name",
    alias: "rl",
    verbs: {
      get: () => import("./commands/proposals/list.ts"),
      approve: () => import("./commands/proposals/approve.ts"),
      reject: () => import("./commands/proposals/reject.ts"),
      "approve-all": () => import("./commands/proposals/approve-all.ts"),
      clear: () => import("./commands/proposals/clear.ts"),
      history: () => import("./commands/proposals/history.ts"),
    },
  },
  logs: {
    kind: "single",
    summary: "what a sandbox tried, and what was decided",
    alias: "lg",
    load: () => import("./commands/logs/show.ts"),
  },
  "logs verify": {
    kind: "single",
    summary: "whether a sandbox's audit log is as it was written",
    load: () => import("./commands/logs/verify.ts"),
  },
  settings: {
    kind: "group",
    summary: "how the gateway and its sandboxes behave",
    verbs: {
      get: () => import("./commands/settings/get.ts"),
      set: () => import("./commands/settings/set.ts"),
      delete: () => import("./commands/settings/delete.ts"),
    },
  },
  workspace: {
    kind: "group",
    summary: "keep the sandboxes of several teams apart",
    alias: "ws",
    verbs: {
      create: () => import("./commands/workspace/create.ts"),
      get: () => import("./commands/workspace/get.ts"),
      list: () => import("./commands/workspace/list.ts"),
      delete: () => import("./commands/workspace/delete.ts"),
      "member add": () => import("./commands/workspace/member-add.ts"),
      "member remove": () => import("./commands/workspace/member-remove.ts"),
      "member list": () => import("./commands/workspace/member-list.ts"),
    },
  },
  gateway: {
    kind: "group",
    summary: "start and stop the local gateway, choose between gateways",
    alias: "gw",
    verbs: {
      start: () => import("./commands/gateway/start.ts"),
      stop: () => import("./commands/gateway/stop.ts"),
      restart: () => import("./commands/gateway/restart.ts"),
      status: () => import("./commands/gateway/status.ts"),
      list: () => import("./commands/gateway/list.ts"),
      select: () => import("./commands/gateway/select.ts"),
      info: () => import("./commands/gateway/info.ts"),
      logs: () => import("./commands/gateway/logs.ts"),
      backup: () => import("./commands/gateway/backup.ts"),
      restore: () => import("./commands/gateway/restore.ts"),
      destroy: () => import("./commands/gateway/destroy.ts"),
      image: () => import("./commands/gateway/image.ts"),
      "install-unit": () => import("./commands/gateway/install-unit.ts"),
      add: () => import("./commands/gateway/add.ts"),
      login: () => import("./commands/gateway/login.ts"),
      logout: () => import("./commands/gateway/logout.ts"),
      remove: () => import("./commands/gateway/remove.ts"),
      "rotate-key": () => import("./commands/gateway/rotate-key.ts"),
    },
  },
  status: {
    kind: "single",
    summary: "whether the gateway answers, and who you are to it",
    load: () => import("./commands/gateway/status.ts"),
  },
  whoami: {
    kind: "single",
    summary: "the user that the gateway knows you as",
    load: () => import("./commands/access/whoami.ts"),
  },
  doctor: {
    kind: "group",
    summary: "what isolation this machine can give, and how to get more",
    alias: "dr",
    alone: () => import("./commands/doctor/check.ts"),
    verbs: { check: () => import("./commands/doctor/check.ts") },
  },
  completions: {
    kind: "single",
    summary: "a completion script for bash, zsh or fish",
    load: () => import("./commands/completions/show.ts"),
  },
  "ssh-proxy": {
    kind: "single",
    summary: "what `sandbox ssh-config` has OpenSSH call",
    isHidden: true,
    load: () => import("./commands/ssh/proxy.ts"),
  },
  version: {
    kind: "single",
    summary: "the version of this program",
    load: () => import("./commands/version/show.ts"),
  },
};

/**
 * Published commands whose features come later, with what they are for: a script that uses one learns that it is not
 * there yet, not that it is misspelt.
 */
export const commandsToCome: Readonly<Record<string, string>> = {
  term: "the terminal interface",
};
