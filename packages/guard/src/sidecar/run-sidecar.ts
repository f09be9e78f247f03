/**
 * A sidecar from its start to its end.
 * @module
 */
import { once } from 'node:events';
import type { Server } from 'node:http';
import { Server as NetServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { createGuard } from '../guard.ts';
import { type Address, addressText, listenOn } from './address.ts';
import { createCheckServer } from './check-server.ts';
import type { Log } from './log.ts';
import { createOperateServer } from './operate-server.ts';
import type { SidecarSettings } from './settings.ts';

/**
 * How long the clients of open connections have to get one more answer, which closes theirs,
 * milliseconds. Then a stop leaves the service: sign-outs wait for this process until then.
 */
const farewellMsMax = 1000;
/** How long a stop then waits for answers under way, milliseconds. */
const answersMsMax = 5000;
/** How often a stop looks whether there still are some, milliseconds. */
const lookMs = 20;
/** How often the same complaint about a gateway is written, milliseconds: each request may cause it. */
const complaintMs = 60_000;

/** A running sidecar. */
export interface Sidecar {
  /** Where it listens. */
  readonly address: Address;
  readonly operateAddress: Address | undefined;
  /** Takes no new connection, gives the answers under way, leaves the service, and closes everything. */
  stop(): Promise<void>;
}

/**
 * Stops to accept. Idle connections stay open: a request may be on its way on one of them, and
 * Node's own `close` of an HTTP server would cut it off.
 */
const stopAccepting = (server: Server): Promise<unknown> => {
  if (!server.listening) return Promise.resolve();
  const closed = once(server, 'close');
  NetServer.prototype.close.call(server);
  return closed;
};

/** Acts on the first of several values, and then at most once in a time. */
const atMostEach = <Value>(ms: number, act: (value: Value) => void): ((value: Value) => void) => {
  let last = Number.NEGATIVE_INFINITY;
  return (value) => {
    const now = performance.now();
    if (now - last < ms) return;
    last = now;
    act(value);
  };
};

/**
 * Starts a sidecar. The service need not run yet: until it does, answers are 503.
 * @throws {TypeError} for settings that cannot work, {@link Error} where it cannot listen
 */
export const runSidecar = async (settings: SidecarSettings, log: Log): Promise<Sidecar> => {
  const { listen, operate, socketMode, pathFrom, rules } = settings;
  const guard = await createGuard({ ...settings.guard, onProblem: (message) => log.warn(message) });
  const { mode } = guard.state;
  const answers = new Map<number, number>();
  let isStopping = false;
  let underWay = 0;
  const checks = createCheckServer({
    ...{ guard, mode, pathFrom, rules },
    resource: settings.guard.resource === undefined ? undefined : guard.protectedResource(),
    onMisconfigured: atMostEach(complaintMs, (reason) => log.warn(`A gateway asks wrongly: ${reason}`)),
    onFailed: atMostEach(complaintMs, (error) => log.warn(`Cannot answer: ${String(error)}`)),
    onAsked: () => {
      underWay++;
    },
    onAnswered: (status) => answers.set(status, (answers.get(status) ?? 0) + 1),
    onEnded: () => {
      underWay--;
    },
  });
  const operations = createOperateServer({ guard, isStopping: () => isStopping, answers });
  const stop = async (): Promise<void> => {
    isStopping = true;
    const closed = stopAccepting(checks);
    await Promise.race([closed, delay(farewellMsMax, undefined, { ref: false })]);
    await guard.stop();
    for (let waitedMs = 0; underWay > 0 && waitedMs < answersMsMax; waitedMs += lookMs) await delay(lookMs);
    const allClosed = Promise.all([closed, stopAccepting(operations)]);
    for (const server of [checks, operations]) server.closeAllConnections();
    await allClosed;
  };
  try {
    const operateAddress = operate && (await listenOn(operations, operate, socketMode));
    const address = await listenOn(checks, listen, socketMode);
    log.info(`Listening on ${addressText(address)} in mode ${mode}`);
    if (operateAddress !== undefined) log.info(`Health and metrics are on ${addressText(operateAddress)}`);
    return { address, operateAddress, stop };
  } catch (error) {
    await stop();
    throw error;
  }
};
