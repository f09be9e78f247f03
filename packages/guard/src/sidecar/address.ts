/**
 * Addresses to listen on: a port of an IP address, or a socket file.
 * @module
 */
import { once } from 'node:events';
import { lstatSync, unlinkSync } from 'node:fs';
import { connect, isIP, type Server } from 'node:net';

/** An address. */
export type Address = { readonly host: string; readonly port: number } | { readonly path: string };

/**
 * Reads `HOST:PORT`, `[IPV6]:PORT` or `unix:PATH`.
 * @param name of the setting, for the error
 * @throws {TypeError} for anything else
 */
export const readAddress = (name: string, text: string): Address => {
  const [, path] = /^unix:(\/.+)$/.exec(text) ?? [];
  if (path !== undefined) return { path };
  const [, bracketed, plain = '', digits] = /^(?:\[([^\]]*)\]|([^:]*)):(\d{1,5})$/.exec(text) ?? [];
  const host = bracketed ?? (plain === 'localhost' ? '127.0.0.1' : plain);
  const port = Number(digits);
  if (isIP(host) === (bracketed === undefined ? 4 : 6) && port <= 65_535) return { host, port };
  throw new TypeError(
    `Cannot listen on "${text}" (${name}): give an IP address with a port, like 127.0.0.1:8680 or [::1]:8680, or a file, like unix:/run/guard.sock`,
  );
};

/** The address as people write it. */
export const addressText = (address: Address): string => {
  if ('path' in address) return `unix:${address.path}`;
  return `${address.host.includes(':') ? `[${address.host}]` : address.host}:${address.port}`;
};

const listenOnce = async (server: Server, address: Address): Promise<void> => {
  server.listen(address);
  await once(server, 'listening');
};

/** Whether a process answers at a socket file. */
const isAnswered = async (path: string): Promise<boolean> => {
  const socket = connect(path);
  try {
    await once(socket, 'connect');
    return true;
  } catch (error) {
    // Only this says that nobody listens: with a full queue, or without the right to ask, somebody may.
    return (error as NodeJS.ErrnoException).code !== 'ECONNREFUSED';
  } finally {
    socket.destroy();
  }
};

/** Takes away the file that a killed process has left. @throws {Error} when it is anything else */
const removeStale = async (path: string): Promise<void> => {
  if (!lstatSync(path).isSocket())
    throw new Error(`Cannot listen on unix:${path}: the file is not a socket; remove it or take another path`);
  if (await isAnswered(path))
    throw new Error(`Cannot listen on unix:${path}: another process answers there; stop it or take another path`);
  unlinkSync(path);
};

/** Listens on a socket file with exactly these rights: the mask is set before the file is there. */
const listenOnFile = async (server: Server, path: string, mode: number): Promise<void> => {
  const before = process.umask(0o777 & ~mode);
  const listening = listenOnce(server, { path });
  process.umask(before);
  await listening;
};

/**
 * Listens.
 * @param socketMode rights of a socket file
 * @returns the address, with the port that the system has chosen for port 0
 * @throws {Error} that says what to do
 */
export const listenOn = async (server: Server, address: Address, socketMode: number): Promise<Address> => {
  try {
    if (!('path' in address)) await listenOnce(server, address);
    else
      await listenOnFile(server, address.path, socketMode).catch(async (error: NodeJS.ErrnoException) => {
        if (error.code !== 'EADDRINUSE') throw error;
        await removeStale(address.path);
        await listenOnFile(server, address.path, socketMode);
      });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    throw new Error(`Cannot listen on ${addressText(address)}: ${message}`, { cause: error });
  }
  const bound = server.address();
  return bound === null || typeof bound === 'string' ? address : { host: bound.address, port: bound.port };
};
