/**
 * A sidecar from its start to its end.
 * @module
 */
import { once } from 'node:events';
import type { Server } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { createGuard } from '../guard.ts';
import { type Address, addressText, listenOn } from './address.ts';
import { createCheckServer } from './check-server.ts';
import type { Log } from './log.ts';
import { createOperateServer } from './operate-server.ts';
import type { SidecarSettings } from './settings.ts';

/** How long a stop waits for connections in use, milliseconds. */
const endMsMax = 5000;
/** After which time a stop leaves the service in any case, milliseconds: sign-outs wait for this process until then. */
const leaveMsMax = 1000;
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

/** Closes a server after its answers under way. */
const close = async (server: Server): Promise<void> => {
  if (!server.listening) return;
  const closed = once(server, 'close');
  server.close();
  const late = setTimeout(() => server.closeAllConnections(), endMsMax);
  await closed;
  clearTimeout(late);
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
  const checks = createCheckServer({
    ...{ guard, mode, pathFrom, rules },
    resource: settings.guard.resource === undefined ? undefined : guard.protectedResource(),
    onMisconfigured: atMostEach(complaintMs, (reason) => log.warn(`A gateway asks wrongly: ${reason}`)),
    onFailed: atMostEach(complaintMs, (error) => log.warn(`Cannot answer: ${String(error)}`)),
    onAnswered: (status) => answers.set(status, (answers.get(status) ?? 0) + 1),
  });
  const operations = createOperateServer({ guard, isStopping: () => isStopping, answers });
  const stop = async (): Promise<void> => {
    isStopping = true;
    const closed = close(checks);
    // Answers under way are given with a lease. Then the guard leaves, however long a client takes.
    await Promise.race([closed, delay(leaveMsMax, undefined, { ref: false })]);
    await guard.stop();
    await closed;
    await close(operations);
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
