/**
 * Whose a connection is: the process of this machine that holds the other end.
 * @module
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/**
 * What the link names, or what is read; `undefined` when it has gone meanwhile, or where there is
 * no `/proc`.
 */
const tryTo = <Result>(read: () => Result): Result | undefined => {
  try {
    return read();
  } catch {
    return undefined;
  }
};

/**
 * An address as `/proc/net/tcp` writes it: four bytes from the last to the first, then the port.
 */
const inTable = (address: string, port: number): string => {
  const bytes = address.replace('::ffff:', '').split('.').reverse();
  const hex = (value: number, digits: number): string => value.toString(16).toUpperCase().padStart(digits, '0');
  return `${bytes.map((byte) => hex(Number(byte), 2)).join('')}:${hex(port, 4)}`;
};

/**
 * The system hands out the table in pieces. While other connections come and go, it may leave a row
 * out, so the table is read this often before a socket counts as absent.
 */
const readsMax = 3;

/** The socket with this local address in the network of a process, as links to it name it. */
const socketAt = (pid: number, wanted: string): string | undefined => {
  for (let reads = 0; reads < readsMax; reads++) {
    const rows = tryTo(() => readFileSync(`/proc/${pid}/net/tcp`, 'latin1'))?.split('\n') ?? [];
    const row = rows.map((text) => text.trim().split(/\s+/)).find(([, local]) => local === wanted);
    if (row !== undefined) return `socket:[${row[9]}]`;
  }
  return undefined;
};

/**
 * The process that holds the socket with this local address, IPv4.
 * @param pids processes that come into question, also of other network namespaces; others are not
 * looked at
 * @returns `undefined` when none of them does, and on systems without `/proc`
 */
export const ownerOf = (address: string, port: number, pids: readonly number[]): number | undefined => {
  const wanted = inTable(address, port);
  const socketsByNamespace = new Map<string, string | undefined>();
  return pids.find((pid) => {
    const namespace = tryTo(() => readlinkSync(`/proc/${pid}/ns/net`));
    if (namespace === undefined) return false;
    if (!socketsByNamespace.has(namespace)) {
      socketsByNamespace.set(namespace, socketAt(pid, wanted));
    }
    const socket = socketsByNamespace.get(namespace);
    const files = tryTo(() => readdirSync(`/proc/${pid}/fd`)) ?? [];
    return (
      socket !== undefined && files.some((file) => tryTo(() => readlinkSync(`/proc/${pid}/fd/${file}`)) === socket)
    );
  });
};
