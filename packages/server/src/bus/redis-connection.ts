/**
 * One connection to the Redis server that is the primary at present.
 *
 * A connection is used until its first fault and then discarded: it neither reconnects nor queues
 * commands for later.
 * @module
 */
import { within } from './deadline.ts';
import type { HostPort, RedisPlace } from './redis-place.ts';

/** A connection that commands and subscriptions share (RESP 3). */
export type RedisConnection = Awaited<ReturnType<typeof openClient>>;

/**
 * Longest time to open a connection, milliseconds. A frozen server accepts it and then does not
 * answer.
 */
const connectMsMax = 500;
/**
 * Most commands that wait for answers. Past it the server does not keep up, and new commands are
 * dropped.
 */
const commandsMax = 10_000;

const openClient = async (
  { host, port }: HostPort,
  { authorities }: RedisPlace,
  username?: string,
  password?: string,
) => {
  // Loaded only here: a service without Redis does not wait for its client.
  const { createClient } = await import('@redis/client');
  return createClient({
    RESP: 3,
    name: 'catalytic',
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    disableOfflineQueue: true,
    commandsQueueMaxLength: commandsMax,
    socket: {
      host,
      port,
      reconnectStrategy: false,
      connectTimeout: connectMsMax,
      ...(authorities === undefined
        ? {}
        : { tls: true, servername: host, ...(authorities === '' ? {} : { ca: authorities }) }),
    },
  });
};

/** Cuts a connection. Commands that wait for an answer on it fail. */
export const cut = (connection: RedisConnection): void => {
  if (connection.isOpen) connection.destroy();
};

const connectTo = async (client: RedisConnection): Promise<RedisConnection> => {
  // Failures reach the callers of commands; without a listener, an error event would end the
  // process.
  client.on('error', () => {});
  try {
    await within(connectMsMax, 'Connecting to Redis', client.connect());
    return client;
  } catch (error) {
    cut(client);
    throw error;
  }
};

/** Asks one sentinel. */
const primaryBy = async (sentinel: HostPort, place: RedisPlace): Promise<HostPort> => {
  const connection = await connectTo(await openClient(sentinel, place, undefined, place.sentinelPassword));
  try {
    const question = connection.sendCommand<readonly [string, string] | null>([
      'SENTINEL',
      'GET-MASTER-ADDR-BY-NAME',
      place.sentinelName,
    ]);
    const answer = await within(connectMsMax, 'Asking a sentinel', question);
    if (answer === null) throw new Error(`The sentinel does not know a primary named ${place.sentinelName}`);
    return { host: answer[0], port: Number(answer[1]) };
  } finally {
    cut(connection);
  }
};

const findPrimary = async (place: RedisPlace): Promise<HostPort> => {
  if (place.server !== undefined) return place.server;
  let last: unknown;
  for (const sentinel of place.sentinels)
    try {
      return await primaryBy(sentinel, place);
    } catch (error) {
      last = error;
    }
  throw new Error(`No sentinel answers: ${(last as Error | undefined)?.message}`, { cause: last });
};

/** The facts that a server tells about itself. */
export interface RedisGreeting {
  readonly version: string;
  /** A message published on a replica reaches only subscribers of that replica. */
  readonly isPrimary: boolean;
}

/**
 * Asks a server for its version and role. HELLO, unlike ROLE and INFO, is allowed to every user
 * that may connect.
 */
export const greet = async (connection: RedisConnection): Promise<RedisGreeting> => {
  const asked = connection.sendCommand<Readonly<Record<'version' | 'role', string>>>(['HELLO', '3']);
  const { version, role } = await within(connectMsMax, 'Greeting Redis', asked);
  return { version, isPrimary: role === 'master' };
};

/**
 * Connects to the primary.
 * @throws Error when it is not found, does not answer in time, or refuses the connection
 */
export const connectToPrimary = async (place: RedisPlace): Promise<RedisConnection> => {
  const server = await findPrimary(place);
  const connection = await connectTo(await openClient(server, place, place.username, place.password));
  try {
    const { isPrimary } = await greet(connection);
    if (!isPrimary) throw new Error(`${server.host}:${server.port} is a replica; the bus needs the primary`);
    return connection;
  } catch (error) {
    cut(connection);
    throw error;
  }
};
