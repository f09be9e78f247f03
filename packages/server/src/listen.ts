/**
 * Listening, and what a person can do when that fails.
 * @module
 */
import type { Config } from './config/options.ts';
import { ConfigError } from './config/read-config.ts';

/** What can be done about an address that cannot be listened on, by the error of the system. */
const advices: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program does; stop it or give another PORT',
  EACCES: 'the system does not allow it; give a PORT above 1023',
  EADDRNOTAVAIL: 'this machine has no such address; give another HOST',
};

/** A server that is not listening yet. */
interface Listener {
  listen(place: { readonly host: string; readonly port: number; readonly backlog: number }): Promise<number>;
}

/** Listens where the configuration says. @returns the port @throws {ConfigError} when the address is not to be had */
export const listen = async (server: Listener, { host, port, backlog }: Config): Promise<number> => {
  try {
    return await server.listen({ host, port, backlog });
  } catch (error) {
    const advice = advices[(error as NodeJS.ErrnoException).code ?? ''];
    if (advice === undefined) throw error;
    throw new ConfigError(`Cannot listen on ${host}:${port}: ${advice}`, { cause: error });
  }
};
