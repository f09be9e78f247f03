/**
 * Whether the addresses of the listeners can be listened on.
 * @module
 */
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { Config } from '../config/options.ts';
import { type Finding, ok } from './finding.ts';

const check = async (host: string, port: number, prefix: '' | 'OPERATE_'): Promise<Finding> => {
  const name = `${prefix}PORT ${port}`;
  if (port === 0) return ok(`${name} takes any free port`);
  const server = createServer();
  try {
    await once(server.listen({ host, port, exclusive: true }), 'listening');
    server.close();
    return ok(`${name} is free on ${host}`);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE')
      return {
        level: 'warning',
        text: `${name} is taken on ${host}, perhaps by the service itself`,
        remedy: `else stop the other program, or choose another ${prefix}PORT`,
      };
    return {
      level: 'failure',
      text: `${name} of ${host} cannot be listened on: ${message}`,
      remedy: `choose another ${prefix}HOST, or a ${prefix}PORT above 1023`,
    };
  }
};

/** A finding for each listener. */
export const checkPorts = async ({ host, port, operateHost, operatePort }: Config): Promise<readonly Finding[]> => [
  await check(host, port, ''),
  ...(operateHost === undefined || operatePort === undefined
    ? []
    : [await check(operateHost, operatePort, 'OPERATE_')]),
];
