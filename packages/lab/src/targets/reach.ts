/**
 * Whether a target can be reached, found out without asking it anything: a service that is not ours is sent only what the scenario names.
 * @module
 */
import { isIP, connect as openTcp } from 'node:net';
import { connect as openTls } from 'node:tls';
import { portOf } from './origin.ts';

/**
 * Opens a connection, with TLS where the origin asks for it, and closes it again.
 * @returns why it cannot be opened; `undefined` when it can
 */
export const refusesToConnect = (
  origin: string,
  connectMs: number,
  interrupted: AbortSignal,
): Promise<string | undefined> =>
  new Promise((resolve) => {
    const { hostname, protocol } = new URL(origin);
    const host = hostname.replace(/^\[|\]$/g, '');
    const isTls = protocol === 'https:';
    const place = { host, port: portOf(origin) };
    const socket = isTls ? openTls({ ...place, ...(isIP(host) === 0 ? { servername: host } : {}) }) : openTcp(place);
    const settle = (failure?: string): void => {
      clearTimeout(deadline);
      interrupted.removeEventListener('abort', giveUp);
      socket.destroy();
      resolve(failure);
    };
    const giveUp = (): void => settle('interrupted');
    const deadline = setTimeout(() => settle(`no connection within ${connectMs / 1000} s`), connectMs);
    interrupted.addEventListener('abort', giveUp);
    socket.once(isTls ? 'secureConnect' : 'connect', () => settle());
    // For good: what comes after the first error must not be thrown.
    socket.on('error', ({ code, message }: NodeJS.ErrnoException) => settle(code ?? message));
  });
