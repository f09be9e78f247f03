/**
 * Where operators are served, as the greeting of a service says.
 * @module
 */
import type { Service } from './service.ts';

/** The URL of the operate listener, or of the public one where that serves operators too. */
export const operateUrlOf = ({ url, output }: Pick<Service, 'url' | 'output'>): string =>
  /for operators +(\S+)/.exec(output())?.[1] ?? url;
