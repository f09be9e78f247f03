/**
 * Machines for tests: network namespaces of this system, each with its own address and host name and a cable to a hub, which is this system
 * itself. Databases and balancers run at the hub, services in machines. Machines do not reach each other.
 *
 * A cut loses packets silently: carrier, routes and neighbours stay, connections stay open. Each end has a permanent entry for the other's
 * hardware address, and a cut replaces it with an address that no device has.
 * @module
 */
import { type ChildProcess, execFileSync, type SpawnOptions, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { hubName, ip, programFile } from './machines/ip.ts';
import type { Scope } from './scope.ts';
import { waitUntil } from './wait-until.ts';
import { startWatchdog } from './watchdog/watchdog.ts';

/** The system allows names of 15 characters: `catalytic250-99`. */
const machinesMax = 99;
const subnetsMax = 250;
const plugMsMax = 5_000;

/** Hardware address that no device has. */
const unusedAddress = '02:00:00:00:00:00';

/** The packets that a machine loses: all, those that arrive or those that leave. */
export type CutDirection = 'both' | 'in' | 'out';

/** A machine. */
export interface Machine {
  /** Of the namespace, and the machine's host name. */
  readonly name: string;
  readonly address: string;
  /**
   * Words to put before a program's command, so that it runs in the machine. They become the program, so the process id is the program's.
   */
  readonly prefixCommand: readonly string[];
  /** Starts a program in the machine. */
  run(program: string, args: readonly string[], options?: SpawnOptions): ChildProcess;
  /** Cuts the cable, in addition to earlier cuts. It is cut when this returns. */
  cut(direction?: CutDirection): void;
  /** Mends the cable. */
  heal(): void;
}

/** Machines around one hub. */
export interface Machines extends AsyncDisposable {
  /** Address at which machines reach this system. */
  readonly gateway: string;
  readonly machines: readonly Machine[];
  /** Kills the processes in the machines and removes them. */
  close(): Promise<void>;
}

/** The parts of machines, tried in a namespace that disappears with the command. */
const probe = [
  'ip link add name hub type bridge',
  'ip link add name cable type veth peer name plug',
  'ip link set dev cable master hub',
  'ip link set dev cable type bridge_slave isolated on',
].join(' && ');

/** Reasons why this system can have no machines at all. */
const refusals = /not permitted|permission denied|not supported|unknown device type|no such device/i;

const problem = (): string | undefined => {
  if (process.platform !== 'linux') return 'Network namespaces exist on Linux only';
  if (process.getuid?.() !== 0) return 'Only root may make network namespaces';
  const missing = ['ip', 'unshare'].filter((program) => programFile(program) === undefined);
  if (missing.length > 0)
    return `There is no ${missing.join(' and no ')} here: install them, on Debian and Ubuntu with "apt-get install iproute2 util-linux"`;
  try {
    execFileSync(programFile('unshare') ?? 'unshare', ['--net', '--uts', 'sh', '-c', probe], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { PATH: `${process.env['PATH']}:/usr/sbin:/sbin`, LC_ALL: 'C' },
    });
    return undefined;
  } catch (error) {
    return `The system makes no network namespaces: ${error instanceof Error ? error.message.trim() : String(error)}`;
  }
};

/**
 * Whether tests that need machines can run, as an option of `test` and `suite`.
 * @throws Error when `CI` is set and root on Linux lacks them although the system allows them: no test may be skipped unnoticed
 */
export const needsMachines = (): { readonly skip: string | false } => {
  const reason = problem();
  if (reason === undefined) return { skip: false };
  const isRootOfLinux = process.platform === 'linux' && process.getuid?.() === 0;
  if (isRootOfLinux && process.env['CI'] === 'true' && !refusals.test(reason)) throw new Error(reason);
  return { skip: reason };
};

/** Makes the hub of a free subnet. Of several processes that try at once, the system gives only one the name. */
const makeHub = (hardwareAddress: string): number => {
  // Each process begins at another subnet.
  for (let attempt = 0; attempt < subnetsMax; attempt++) {
    const subnet = ((process.pid + attempt) % subnetsMax) + 1;
    const isTaken = Object.values(networkInterfaces()).some((addresses) =>
      addresses?.some(({ address }) => address.startsWith(`10.77.${subnet}.`)),
    );
    if (isTaken) continue;
    try {
      ip([`link add name ${hubName(subnet)} address ${hardwareAddress} type bridge`]);
      return subnet;
    } catch (error) {
      if (!String(error).includes('File exists')) throw error;
    }
  }
  throw new Error(`All ${subnetsMax} subnets below 10.77 are taken`);
};

/** One end of a cable, and the addresses of the other end. */
interface CableEnd {
  readonly device: string;
  readonly namespace?: string;
  readonly farAddress: string;
  readonly farHardwareAddress: string;
}

const point = ({ device, namespace, farAddress }: CableEnd, hardwareAddress: string): void =>
  void ip([`neigh replace ${farAddress} lladdr ${hardwareAddress} dev ${device} nud permanent`], namespace);

const makeMachine = (subnet: number, hubHardwareAddress: string, number: number): Machine => {
  const hub = hubName(subnet);
  const name = `${hub}-${number}`;
  const address = `10.77.${subnet}.${number + 1}`;
  const hex = (value: number): string => value.toString(16).padStart(2, '0');
  const hardwareAddress = `02:4d:00:4d:${hex(subnet)}:${hex(number)}`;
  ip([
    `netns add ${name}`,
    `link add name ${name} type veth peer name eth0 address ${hardwareAddress} netns ${name}`,
    `link set dev ${name} master ${hub}`,
    // A port that is isolated speaks with the hub and no other machine.
    `link set dev ${name} type bridge_slave isolated on`,
    `link set dev ${name} up`,
  ]);
  ip(['link set dev lo up', `address add ${address}/24 dev eth0`, 'link set dev eth0 up'], name);

  const arriving: CableEnd = { device: hub, farAddress: address, farHardwareAddress: hardwareAddress };
  const leaving: CableEnd = {
    device: 'eth0',
    namespace: name,
    farAddress: `10.77.${subnet}.1`,
    farHardwareAddress: hubHardwareAddress,
  };
  const endsOf = { in: [arriving], out: [leaving], both: [arriving, leaving] } as const;
  const heal = (): void => {
    for (const end of endsOf.both) point(end, end.farHardwareAddress);
  };
  heal();
  const prefixCommand = [
    ...[programFile('ip') ?? 'ip', 'netns', 'exec', name, programFile('unshare') ?? 'unshare', '--uts'],
    ...['sh', '-c', `echo ${name} > /proc/sys/kernel/hostname && exec "$@"`, 'sh'],
  ];
  return {
    name,
    address,
    prefixCommand,
    run: (program, args, options = {}) => {
      const [first = '', ...rest] = [...prefixCommand, program, ...args];
      return spawn(first, rest, options);
    },
    cut: (direction = 'both') => {
      for (const end of endsOf[direction]) point(end, unusedAddress);
    },
    heal,
  };
};

/** Whether the hub passes a machine's packets on: 3 is the bridge's "forwarding". */
const isPlugged = ({ name }: Machine): boolean =>
  readFileSync(`/sys/class/net/${name}/brport/state`, 'utf8').trim() === '3';

/** Makes machines and plugs them in. They are removed when they are closed or this process is gone. */
export const createMachines = async (count: number): Promise<Machines> => {
  if (!(count >= 1 && count <= machinesMax))
    throw new RangeError(`Between 1 and ${machinesMax} machines, not ${count}`);
  // The second digit of the first byte marks an address that is locally administered and no group.
  const hardwareAddress = ['02', ...(randomBytes(5).toString('hex').match(/../g) ?? [])].join(':');
  const close = startWatchdog('machines/end-machines.ts', hardwareAddress);
  try {
    const subnet = makeHub(hardwareAddress);
    const gateway = `10.77.${subnet}.1`;
    ip([`address add ${gateway}/24 dev ${hubName(subnet)}`, `link set dev ${hubName(subnet)} up`]);
    const machines = Array.from({ length: count }, (_, index) => makeMachine(subnet, hardwareAddress, index + 1));
    await waitUntil('The machines', 'come on', plugMsMax, () => machines.every(isPlugged));
    return { gateway, machines, close, [Symbol.asyncDispose]: close };
  } catch (error) {
    await close();
    throw error;
  }
};

/** Machines that are removed when the scope is over: a test's context, or `node:test` itself for a whole file. */
export const machinesIn = async (scope: Scope, count: number): Promise<Machines> => {
  const made = await createMachines(count);
  scope.after(() => made.close());
  return made;
};
