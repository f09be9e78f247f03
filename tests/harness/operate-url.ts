/**
 * Where operators are served, as the greeting of a service says.
 * @module
 */
import type { Service } from './service.ts';

/** The URL of the operate listener. @throws Error when the service has none of its own */
export const operateUrlOf = ({ output }: Pick<Service, 'output'>): string => {
  const url = /for operators +(\S+)/.exec(output())?.[1];
  if (url === undefined) throw new Error(`No operate listener is named in ${output()}`);
  return url;
};
