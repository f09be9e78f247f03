/**
 * Whether a target can be reached, without a request: a foreign service gets only the requests of
 * the scenario.
 * @module
 */
import type { ConnectionLimits } from './connection.ts';
import { nameOf } from './failures.ts';
import { openEventOf, openSocket } from './open-socket.ts';

/**
 * Time that a target with TLS 1.3 is given to refuse a client without a certificate, which it does
 * behind the handshake, milliseconds.
 */
const secondThoughtMs = 100;

/**
 * Opens a connection, with TLS where the address asks for it, and closes it again.
 * @returns why it cannot be opened; `undefined` when it can
 */
export const refusesToConnect = (
  target: string,
  { connectMs, trust }: ConnectionLimits,
  interrupted: AbortSignal,
): Promise<string | undefined> =>
  new Promise((resolve) => {
    const url = new URL(target);
    const socket = openSocket(url, { trust, take: () => {} });
    const finish = (failure?: string): void => {
      clearTimeout(deadline);
      interrupted.removeEventListener('abort', giveUp);
      socket.destroy();
      resolve(failure);
    };
    const giveUp = (): void => finish('interrupted');
    let deadline = setTimeout(() => finish('connect timeout'), connectMs);
    interrupted.addEventListener('abort', giveUp);
    socket.once(openEventOf(url), () => {
      clearTimeout(deadline);
      if (url.protocol === 'http:') finish();
      else deadline = setTimeout(finish, secondThoughtMs);
    });
    // Permanently: later errors must not be thrown.
    socket.on('error', (error) => finish(nameOf(error)));
  });
