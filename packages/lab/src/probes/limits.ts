/**
 * Limits of this machine for a generator: open files and ports. Checked before a run, because
 * during the run a shortage looks like a fault of the target.
 * @module
 */
import { readFileSync } from 'node:fs';

/**
 * Most files this process may have open; `undefined` where that cannot be read. Node raises the
 * soft limit to the hard one itself.
 */
export const openFilesMax = (): number | undefined => {
  try {
    const [, soft] = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
    return soft === undefined ? undefined : Number(soft);
  } catch {
    return undefined;
  }
};

/** Ports that the system gives out for each address; `undefined` where that cannot be read. */
export const portsPerAddress = (): number | undefined => {
  try {
    const [low, high] = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').trim().split(/\s+/).map(Number);
    return low === undefined || high === undefined ? undefined : high - low + 1;
  } catch {
    return undefined;
  }
};

/** Needs of a run, and the limits of this machine. */
export interface LimitPlan {
  readonly users: number;
  readonly processes: number;
  /** Addresses that users connect from. */
  readonly addresses: number;
  /** Connections besides the users', such as those to every worker. */
  readonly otherConnections: number;
  /** `undefined`: not known, and not judged. */
  readonly openFilesMax: number | undefined;
  readonly portsPerAddress: number | undefined;
}

/** Descriptors besides connections: files, event loop, DNS. */
const descriptorsSpare = 64;
/**
 * Share of the ports that a run may take. The rest is for recently closed connections and for other
 * programs.
 */
const portsShare = 0.9;

/** Names the limit that is too low, with the remedy; `undefined` when all suffice. Pure. */
export const refuseLimits = (plan: LimitPlan): string | undefined => {
  const { users, processes, addresses, otherConnections } = plan;
  const files = Math.ceil(users / processes) + otherConnections + descriptorsSpare;
  if (plan.openFilesMax !== undefined && files > plan.openFilesMax)
    return `Cannot run ${users} users: they need ${files} open files${processes > 1 ? ' in each process' : ''}, the limit of this shell is ${plan.openFilesMax} (RLIMIT_NOFILE); raise it with "ulimit -n ${files}", as root where that is refused, or share the users among more processes with --processes`;
  if (plan.portsPerAddress === undefined) return undefined;
  const ports = Math.floor(plan.portsPerAddress * portsShare);
  const needed = Math.ceil(users / addresses) + otherConnections;
  if (needed <= ports) return undefined;
  return `Cannot run ${users} users from ${addresses === 1 ? 'one address' : `${addresses} addresses`}: each connection to the target takes a port, ${needed} for each address, and of the ${plan.portsPerAddress} that this machine gives out (net.ipv4.ip_local_port_range) a run may take ${ports}; give it at least ${Math.ceil(users / Math.max(1, ports - otherConnections))} addresses with --source-addresses, or widen the range with "sysctl -w net.ipv4.ip_local_port_range='1024 65535'"`;
};
