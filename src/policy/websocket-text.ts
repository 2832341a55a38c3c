/**
 * The method that stands for the messages of a client after a WebSocket upgrade, whose facts they share otherwise. Binary
 * messages are decided as text is: what may be said in one can be said in the other.
 */
export const websocketText = "WEBSOCKET_TEXT";
