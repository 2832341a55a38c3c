/**
 * Takes a sandbox over from its init: sends what init is to do, receives the listening sockets that it has opened, and waits
 * until it has closed its doors. The same whoever made the namespaces around it.
 */
import { readlinkSync, writeFileSync } from "node:fs";
import { Socket } from "node:net";
import { type Configuration, encodeJsonFrame, FrameReader, frame, type IsolationFact } from "../../init/protocol.ts";
import { SystemError } from "../../linux/libc.ts";
import { type ReceivedDescriptors, receiveDescriptors } from "../../linux/message-header.ts";
import { whenReadable } from "../../linux/readable.ts";
import { createInitLink, type InitLink } from "../init-link.ts";
import { closeListeners, type ListenerDescriptors, sortListeners } from "./listener-descriptors.ts";

export interface LaunchedSandbox {
  readonly listeners: ListenerDescriptors;
  /** Process id of init as this process sees it, as the kernel says. Its number inside is in /proc/PID/status. */
  readonly initPid: number;
  readonly link: InitLink;
  readonly isolation: readonly IsolationFact[];
  /** Settles when nothing of the sandbox runs any more. */
  readonly ended: Promise<void>;
  /** Ends everything inside at once. */
  kill(): void;
}

/** Init, once it has handed its listeners over. */
export interface TakenInit extends Pick<LaunchedSandbox, "listeners" | "initPid" | "isolation"> {
  /** Makes the link; once, since init's frames are read from then on. */
  readonly connect: (onClose: () => void) => InitLink;
}

/** More than there are listeners; the kernel cuts what does not fit. */
const MAX_DESCRIPTORS = 16;

/**
 * `fd` is the supervisor's end of the link, which asks for credentials (passCredentials).
 * @throws the signal's reason, or what init said
 */
export async function takeOver(fd: number, configuration: Configuration, failure: AbortSignal): Promise<TakenInit> {
  writeFileSync(fd, encodeJsonFrame(frame.configure, 0, configuration));
  await whenReadable(fd, failure);
  const { data, fds, senderPid } = receiveListeners(fd) ?? (await aborted(failure));
  if (senderPid === undefined) throw new Error("the kernel did not say who sent the listeners");
  const listeners = sortListeners(data[0] ?? 0, fds);
  const socket = new Socket({ fd, readable: true, writable: true });
  const reader = new FrameReader();
  const isolation = await readReady(socket, reader, failure).catch((error: unknown) => {
    closeListeners(listeners);
    throw error;
  });
  const connect = (onClose: () => void) => createInitLink(socket, reader, onClose);
  return { listeners, initPid: senderPid, connect, isolation: isolation.map(compareNamespace) };
}

/** The listeners, or nothing if the chain has failed: it closed the socket, and will say why on its stderr. */
function receiveListeners(fd: number): ReceivedDescriptors | undefined {
  try {
    const received = receiveDescriptors(fd, 1, MAX_DESCRIPTORS);
    return received.data.length > 0 ? received : undefined;
  } catch (error) {
    if (error instanceof SystemError && error.code === "ECONNRESET") return undefined;
    throw error;
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}

/** Reads the first frame, which is `ready` or `failed`. */
function readReady(socket: Socket, reader: FrameReader, failure: AbortSignal): Promise<IsolationFact[]> {
  const ready = new Promise<IsolationFact[]>((resolve, reject) => {
    socket.on("data", (bytes: Buffer) => {
      const [first] = reader.push(bytes);
      if (!first) return;
      socket.removeAllListeners("data");
      socket.pause();
      if (first.type === frame.ready) resolve(JSON.parse(first.payload.toString()) as IsolationFact[]);
      else reject(new Error((JSON.parse(first.payload.toString()) as { message: string }).message));
    });
  });
  return Promise.race([ready, aborted(failure)]);
}

/** A namespace is one of the sandbox's own if the supervisor is not in it. */
function compareNamespace(fact: IsolationFact): IsolationFact {
  const [, kind] = fact.name.split("namespace.");
  if (!kind) return fact;
  return { ...fact, strong: readlinkSync(`/proc/self/ns/${kind}`) !== fact.value };
}
