/**
 * The listeners of this process: one for clients, and one for operators where they have a separate
 * address.
 * @module
 */
import { urlHost } from './config/addresses.ts';
import type { Config } from './config/options.ts';
import { ConfigError } from './config/read-config.ts';
import type { Route } from './features/route.ts';
import type { StopManner } from './http/stop-manner.ts';

/** Remedies for an address that cannot be listened on, by the error of the system. */
const advices: Readonly<Record<string, (listener: Listener) => string>> = {
  EADDRINUSE: ({ portFlag, port }) =>
    `another program does; stop it, or choose another port: npm start -- ${portFlag} ${port < portMax ? port + 1 : port - 1}`,
  EACCES: ({ portFlag }) => `the system does not allow it; choose a port above 1023 with ${portFlag}`,
  EADDRNOTAVAIL: ({ hostFlag }) => `this machine has no such address; choose another with ${hostFlag}`,
};

const portMax = 65_535;

/** A server that is not listening yet. */
interface Server {
  readonly scheme: string;
  listen(place: { readonly host: string; readonly port: number; readonly backlog: number }): Promise<number>;
  close(manner: StopManner): Promise<void>;
}

interface Listener {
  readonly server: Server;
  readonly host: string;
  readonly port: number;
  /** The flags that name another place. */
  readonly hostFlag: string;
  readonly portFlag: string;
}

/** The listeners. */
export class Listeners {
  readonly #backlog: number;
  readonly #public: Listener;
  readonly #operate: Listener | undefined;

  /**
   * @param create makes a server of these routes
   * @param routes all of them; each is served where its description says
   */
  constructor(
    { host, port, operateHost, operatePort, backlog }: Config,
    create: (name: 'public' | 'operate', routes: readonly Route[]) => Server,
    routes: readonly Route[],
  ) {
    this.#backlog = backlog;
    const listener = (name: 'public' | 'operate', place: { host: string; port: number }): Listener => {
      const own = routes.filter(({ listener = 'public' }) => listener === name || listener === 'both');
      const isShared = operateHost === undefined;
      const prefix = name === 'public' ? '--' : '--operate-';
      const flags = { hostFlag: `${prefix}host`, portFlag: `${prefix}port` };
      return { ...place, ...flags, server: create(name, isShared ? routes : own) };
    };
    this.#public = listener('public', { host, port });
    if (operateHost !== undefined && operatePort !== undefined)
      this.#operate = listener('operate', { host: operateHost, port: operatePort });
  }

  /**
   * Listens. In a cluster, processes that ask for a free port share one by the order of their
   * calls, so that order is fixed.
   * @returns where clients are served, and operators
   * @throws {ConfigError} when an address cannot be listened on
   */
  async listen(): Promise<{ readonly url: string; readonly operateUrl: string }> {
    const url = await this.#listen(this.#public);
    return { url, operateUrl: this.#operate === undefined ? url : await this.#listen(this.#operate) };
  }

  /** Stops serving clients, then operators, who can watch until the last client is answered. */
  async close(manner: StopManner): Promise<void> {
    await this.#public.server.close(manner);
    // A second graceful close would exceed the time that a stop may take.
    await this.#operate?.server.close('quick');
  }

  async #listen(listener: Listener): Promise<string> {
    const { server, host, port } = listener;
    const address = urlHost(host);
    try {
      return `${server.scheme}://${address}:${await server.listen({ host, port, backlog: this.#backlog })}`;
    } catch (error) {
      const advice = advices[(error as NodeJS.ErrnoException).code ?? ''];
      if (advice === undefined) throw error;
      throw new ConfigError(`Cannot listen on ${address}:${port}: ${advice(listener)}`, { cause: error });
    }
  }
}
