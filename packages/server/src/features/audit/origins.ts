/**
 * Origins of acts without a request.
 * @module
 */
import type { Origin } from './store.ts';

/** The command line. The service cannot know which person uses it. */
export const cliOrigin: Origin = { actor: 'cli', address: null, requestId: null };

/** The service itself. */
export const systemOrigin: Origin = { actor: 'system', address: null, requestId: null };
