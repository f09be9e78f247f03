/**
 * How a server stops.
 * @module
 */

/**
 * `quick`: what comes later on open connections is refused. `replaced`: other processes of this
 * machine take the new connections, and open ones are served once more. `last`: nobody else may take
 * new connections yet, so they are served like the open ones until balancers, clients and guards have
 * had time to go elsewhere.
 */
export type StopManner = 'quick' | 'replaced' | 'last';
