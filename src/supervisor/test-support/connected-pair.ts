/** Two ends of a Unix stream socket in one process. */
import { Socket } from "node:net";
import { openSocketPair } from "../../linux/socket.ts";

export function connectedPair(): [Socket, Socket] {
  const [one, other] = openSocketPair();
  return [asSocket(one), asSocket(other)];
}

const asSocket = (fd: number) => new Socket({ fd, readable: true, writable: true });
