/**
 * The open connections of a listener: which of them serve a request, and which of them make room
 * when the listener is full.
 * @module
 */
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { closeGently, stopParsing } from './close-gently.ts';
import { connectionOf } from './peers.ts';

/** An open connection. */
export interface Connection {
  /** What HTTP is read from; before the end of a TLS handshake, the connection below it. */
  socket: Socket;
  /** Number of requests whose answers have not been sent. */
  underWay: number;
  /** The newest of them. Only the newest can be half-sent. */
  newest: IncomingMessage | undefined;
  /** Requests that wait behind another one. */
  queue: Set<IncomingMessage> | undefined;
  /** Whether a request was answered. */
  isServed: boolean;
  /** Whether the client has left an answer unread. */
  isUnread: boolean;
  /** Whether a request was answered since this connection was last considered for making room. */
  isRecent: boolean;
  /** Whether its last answer is known: nothing that the client sends counts any more. */
  isEnding: boolean;
  /** The last answer, while answers before it are under way. */
  lastAnswer: string | undefined;
}

/**
 * Most connections examined to make room for one. It bounds the cost of a connection that is
 * refused; the next search goes on where this one ended.
 */
const examinedMax = 100;

/** Whether a request has arrived whole and is being answered to a client that reads. */
const isServing = ({ underWay, newest, isUnread }: Connection): boolean =>
  !isUnread && (underWay > 1 || newest?.complete === true);

/** The oldest connection that serves nothing, approximately: a recently used one counts as new. */
const oldestIdle = (connections: Set<Connection>): Connection | undefined => {
  let examined = 0;
  for (const connection of connections) {
    if (!connection.isRecent && !isServing(connection)) return connection;
    if (++examined > examinedMax) return undefined;
    connection.isRecent = false;
    connections.delete(connection);
    connections.add(connection);
  }
  return undefined;
};

/** The connections, in two groups: those that have had an answer, and the others. */
export class OpenConnections {
  readonly #fresh = new Set<Connection>();
  readonly #served = new Set<Connection>();
  readonly #bySocket = new WeakMap<Duplex, Connection>();
  /** Connections whose TLS handshake has not ended, by their addresses. */
  readonly #inHandshake = new Map<string, Connection>();

  /** Number of open connections. */
  get size(): number {
    return this.#fresh.size + this.#served.size;
  }

  /** Adds an accepted connection until it closes. @param hasHandshake TLS comes before HTTP */
  add(socket: Socket, hasHandshake: boolean): void {
    const connection: Connection = {
      socket,
      underWay: 0,
      newest: undefined,
      queue: undefined,
      isServed: false,
      isUnread: false,
      isRecent: false,
      isEnding: false,
      lastAnswer: undefined,
    };
    this.#fresh.add(connection);
    this.#bySocket.set(socket, connection);
    const addresses = hasHandshake ? connectionOf(socket) : undefined;
    if (addresses !== undefined) this.#inHandshake.set(addresses, connection);
    socket.once('close', () => {
      this.#remove(connection);
      if (addresses !== undefined && this.#inHandshake.get(addresses) === connection)
        this.#inHandshake.delete(addresses);
    });
  }

  /** Says that the handshake of a connection has ended. @param socket its decrypted side */
  endHandshake(socket: Socket): void {
    const addresses = connectionOf(socket);
    const connection = this.#inHandshake.get(addresses);
    // Absent: the connection has closed.
    if (connection === undefined) return;
    this.#inHandshake.delete(addresses);
    connection.socket = socket;
    this.#bySocket.set(socket, connection);
  }

  /** The connection that a request came on; `undefined` for a connection that was closed before it was taken. */
  of(socket: Duplex): Connection | undefined {
    return this.#bySocket.get(socket);
  }

  /** Says that a request's head has arrived. */
  begin(connection: Connection, request: IncomingMessage): void {
    connection.underWay++;
    connection.newest = request;
  }

  /** Says that the answer to a request has been sent. */
  finish(connection: Connection, request: IncomingMessage): void {
    connection.queue?.delete(request);
    connection.isUnread = false;
    connection.isRecent = true;
    if (--connection.underWay === 0) connection.newest = undefined;
    if (!connection.isServed) this.#markServed(connection);
    if (connection.lastAnswer !== undefined && !isServing(connection))
      closeGently(connection.socket, connection.lastAnswer);
  }

  /**
   * Ends a connection with an answer, after the answers to the requests that have arrived whole. A
   * half-sent request is not carried out.
   */
  end(socket: Duplex, answer: string): void {
    const connection = this.#bySocket.get(socket);
    if (connection === undefined || !isServing(connection)) {
      closeGently(socket, answer);
    } else {
      connection.lastAnswer = answer;
      stopParsing(socket);
    }
    if (connection !== undefined) connection.isEnding = true;
  }

  /**
   * Destroys a connection to make room for a new one: the oldest of those that have never had an
   * answer and serve none, else the one that has been idle longest. Clients expect idle connections
   * to close at any time (RFC 9112 section 9.5).
   * @returns whether there was one
   */
  makeRoom(): boolean {
    const connection = oldestIdle(this.#fresh) ?? oldestIdle(this.#served);
    if (connection === undefined) return false;
    // Its event comes later; the place is free now.
    this.#remove(connection);
    connection.socket.destroy();
    return true;
  }

  /** Destroys every connection, those in the middle of a handshake included. */
  destroyAll(): void {
    for (const { socket } of [...this.#fresh, ...this.#served]) socket.destroy();
  }

  #markServed(connection: Connection): void {
    connection.isServed = true;
    // A connection that has made room is in neither group.
    if (this.#fresh.delete(connection)) this.#served.add(connection);
  }

  #remove(connection: Connection): void {
    this.#fresh.delete(connection);
    this.#served.delete(connection);
  }
}
