/**
 * The end of a connection whose last answer must reach the client.
 * @module
 */
import type { Duplex } from 'node:stream';

/** How long what the client still sends is read after the last answer, milliseconds. */
const graceMs = 1000;

const closing = new WeakSet<Duplex>();

/** Whether the last answer of this connection has been sent. */
export const isClosing = (socket: Duplex): boolean => closing.has(socket);

/**
 * Takes a connection from the HTTP parser, for good. What still arrives is dropped, so a request
 * that was refused half-sent is never carried out.
 */
export const stopParsing = (socket: Duplex): void => {
  // Node's parser reads the socket directly until a listener for data is added.
  socket.on('data', () => {});
  socket.removeAllListeners('data');
  socket.resume();
};

/**
 * Sends the last bytes and closes the connection in both directions. What the client still sends is
 * read for a short grace, because unread bytes would make the system reset the connection, and a
 * reset can overtake the answer (RFC 9112 section 9.6). After the grace the connection is destroyed,
 * because a silent client would hold it for ever.
 * @param bytes a whole answer; absent: the last answer has been written
 */
export const closeGently = (socket: Duplex, bytes?: string): void => {
  if (closing.has(socket)) return;
  closing.add(socket);
  socket.on('error', () => {});
  stopParsing(socket);
  socket.end(bytes);
  const timer = setTimeout(() => socket.destroy(), graceMs);
  socket.once('close', () => clearTimeout(timer));
};
