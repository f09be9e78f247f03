/**
 * A real HAProxy for tests, in front of several services. It ends with the test's process.
 * @module
 */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import {
  findProgram,
  needsProgram,
  type ProgramPlaces,
  usualProgramPlaces,
  type WantedProgram,
} from './find-program.ts';
import { startServerProcess } from './server-process.ts';
import { freePort } from './service.ts';

/** Most users at a time, where the limit of descriptors allows it. */
const usersMax = 50_000;

/** Descriptors for anything but users: listeners, health checks, threads. */
const ownDescriptors = 400;

/** Longest time for an answer of HAProxy itself. */
const answerMsMax = 2_000;

/** The HAProxy of the tests. */
export const wantedHaproxy: WantedProgram = {
  title: 'HAProxy',
  names: ['haproxy'],
  versionFlag: '-v',
  versionMin: [2, 4],
  packages: ['haproxy'],
  unpacked: 'usr/sbin/haproxy',
};

/** An address that a server listens on. */
export interface Listener {
  readonly host: string;
  readonly port: number;
}

/** Options of a balancer. */
export interface HaproxyOptions {
  readonly servers: readonly Listener[];
  /** A free port of 127.0.0.1 unless given. */
  readonly bind?: Listener;
  /** Whether each connection of a client, with all its requests, goes to the next server in turn, or each request. @default request */
  readonly mode?: 'connection' | 'request';
  /** Says before each connection whose it is, by the PROXY protocol of this version. @default not at all */
  readonly proxyProtocol?: 1 | 2;
  /** Words to put before its command, to run it elsewhere. */
  readonly prefixCommand?: readonly string[];
  readonly places?: ProgramPlaces;
}

/** A balancer under test. */
export interface Haproxy extends AsyncDisposable {
  readonly url: string;
  readonly host: string;
  readonly port: number;
  readonly version: string;
  readonly pid: number;
  /** Most users at a time: it holds two descriptors for each, and the system limits those. */
  readonly usersMax: number;
  output(): string;
  /** The state of each server in the order given: `UP`, `DOWN`, or between the two `UP 1/2`. */
  states(): Promise<readonly string[]>;
  close(): Promise<void>;
}

/**
 * Whether tests that need HAProxy can run, as an option of `test` and `suite`.
 * @throws Error when there is none and `CI` is set: there no test may be skipped unnoticed
 */
export const needsHaproxy = (places: ProgramPlaces = usualProgramPlaces): { readonly skip: string | false } =>
  needsProgram(wantedHaproxy, places);

/** Users that the hard limit of descriptors allows; HAProxy raises its own limit up to it. */
const usersThatFit = (): number => {
  const limit = Number(execFileSync('sh', ['-c', 'ulimit -Hn'], { encoding: 'utf8' }));
  // "unlimited" is no number.
  return Number.isNaN(limit) ? usersMax : Math.min(usersMax, Math.floor((limit - ownDescriptors) / 2));
};

/** Contents of the configuration. */
interface Setting {
  readonly servers: readonly Listener[];
  readonly bind: Listener;
  readonly mode: string;
  readonly proxyProtocol: 1 | 2 | undefined;
  readonly users: number;
  readonly socketFile: string;
}

const sendProxyWords = { 1: 'send-proxy check-send-proxy', 2: 'send-proxy-v2 check-send-proxy' } as const;

const configuration = ({ servers, bind, mode, proxyProtocol, users, socketFile }: Setting): string => `
global
  maxconn ${users}
  stats socket ${socketFile} mode 600 level user

defaults
  mode http
  maxconn ${users}
  timeout connect 2s
  timeout client 60s
  timeout server 60s
  timeout http-request 30s
  timeout http-keep-alive 60s
  timeout check 1s
  option http-keep-alive
  option forwardfor
  option redispatch
  ${mode === 'connection' ? 'option prefer-last-server' : ''}
  http-reuse ${mode === 'connection' ? 'never' : 'always'}

frontend users
  bind ${bind.host}:${bind.port}
  default_backend services

backend services
  balance roundrobin
  option httpchk GET /health/ready
  http-check expect status 200
  default-server check inter 200ms fall 2 rise 1 on-marked-down shutdown-sessions ${proxyProtocol === undefined ? '' : sendProxyWords[proxyProtocol]}
${servers.map(({ host, port }, index) => `  server service${index + 1} ${host}:${port}\n`).join('')}`;

/** Asks HAProxy over its own socket; it closes the connection after the answer. */
const ask = (socketFile: string, question: string): Promise<string> =>
  new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect(socketFile, () => socket.write(`${question}\n`));
    socket.setTimeout(answerMsMax, () => socket.destroy(new Error(`HAProxy said nothing for ${answerMsMax} ms`)));
    socket.on('data', (chunk: Buffer) => {
      answer += chunk.toString();
    });
    socket.once('error', reject);
    socket.once('close', () => resolve(answer));
  });

/** Starts a balancer and waits until it takes connections. Every server counts as up until two checks have failed. */
export const startHaproxy = async (options: HaproxyOptions): Promise<Haproxy> => {
  const { servers, mode = 'request', proxyProtocol, prefixCommand = [], places } = options;
  const program = findProgram(wantedHaproxy, places);
  const bind = options.bind ?? { host: '127.0.0.1', port: await freePort() };
  const users = usersThatFit();
  let socketFile = '';
  const states = async (): Promise<readonly string[]> => {
    // "# pxname,svname,…,status,…": one line for each server, after the names of the columns.
    const [header = '', ...lines] = (await ask(socketFile, 'show stat')).split('\n');
    const at = header.split(',').indexOf('status');
    return lines.filter((line) => /^services,service\d/.test(line)).map((line) => line.split(',')[at] ?? '');
  };
  const server = await startServerProcess({
    title: 'HAProxy',
    env: program.env,
    prepare: (folder) => {
      socketFile = join(folder, 'admin.sock');
      const file = join(folder, 'haproxy.cfg');
      writeFileSync(file, configuration({ servers, bind, mode, proxyProtocol, users, socketFile }));
      return [...prefixCommand, program.file, '-db', '-f', file];
    },
    isReady: async () => (await states()).length === servers.length,
  });
  return {
    url: `http://${bind.host}:${bind.port}`,
    ...bind,
    version: program.version,
    pid: server.pid,
    usersMax: users,
    output: server.output,
    states,
    close: server.close,
    [Symbol.asyncDispose]: server.close,
  };
};
