/**
 * Origins of acts that no request asked for.
 * @module
 */
import type { Origin } from './store.ts';

/** Somebody at the command line. Who that is, the service cannot know. */
export const cliOrigin: Origin = { actor: 'cli', address: null, requestId: null };

/** The service by itself. */
export const systemOrigin: Origin = { actor: 'system', address: null, requestId: null };
