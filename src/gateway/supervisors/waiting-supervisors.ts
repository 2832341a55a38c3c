/**
 * Supervisors that wait for their orders by a connection to this gateway, each in a pod. What they are to be told lies here
 * until they have heard it: one whose connection breaks dials again.
 */
import type { Socket } from "node:net";
import { jsonLine } from "../../net/json-lines.ts";
import type { LaunchSpec, Preparation } from "../../supervisor/launch-spec.ts";
import { type IssuedToken, issueToken, isToken } from "./token.ts";

export interface ExpectedSupervisor {
  /** For the pod's supervisor to show. */
  readonly token: string;
  /** Kept once it has connected, and has what it needs to prepare. */
  readonly arrived: Promise<void>;
  launch(spec: LaunchSpec): void;
  /** It will not come, or is not wanted any more. */
  forget(): void;
}

interface Expected {
  readonly issued: IssuedToken;
  readonly preparation: Preparation;
  readonly arrived: () => void;
  spec?: LaunchSpec;
  socket?: Socket;
}

export class WaitingSupervisors {
  readonly #byPod = new Map<string, Expected>();

  expect(pod: string, preparation: Preparation): ExpectedSupervisor {
    const { promise, resolve } = Promise.withResolvers<void>();
    const expected: Expected = { issued: issueToken(), preparation, arrived: resolve };
    this.#byPod.set(pod, expected);
    return {
      token: expected.issued.token,
      arrived: promise,
      launch: (spec) => {
        expected.spec = spec;
        expected.socket?.write(jsonLine(spec));
      },
      forget: () => {
        this.#byPod.delete(pod);
        expected.socket?.destroy();
      },
    };
  }

  /** A connection that shows this token for this pod. False if none such is expected. */
  arrived(pod: string, token: string, socket: Socket): boolean {
    const expected = this.#byPod.get(pod);
    if (expected === undefined || !isToken(token, expected.issued.hash)) return false;
    expected.socket?.destroy();
    expected.socket = socket;
    socket.once("close", () => {
      if (expected.socket === socket) delete expected.socket;
    });
    // Nothing more is said on it; read all the same, or its end would not be seen.
    socket.on("end", () => socket.end()).resume();
    socket.write(jsonLine(expected.preparation));
    if (expected.spec) socket.write(jsonLine(expected.spec));
    expected.arrived();
    return true;
  }
}
