/**
 * Real gateways for tests, nginx and Caddy, that run the recipes of `examples/gateways` as they are, with the test's addresses filled in. They
 * end with the test's process.
 * @module
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { findProgram, needsProgram, type ProgramPlaces, type WantedProgram } from './find-program.ts';
import { type ServerProcess, startServerProcess } from './server-process.ts';
import { freePort } from './service.ts';

/** The nginx of the tests. */
export const wantedNginx: WantedProgram = {
  title: 'nginx',
  names: ['nginx'],
  versionFlag: '-v',
  versionMin: [1, 20],
  packages: ['nginx'],
  unpacked: 'usr/sbin/nginx',
};

/** The Caddy of the tests. */
export const wantedCaddy: WantedProgram = {
  title: 'Caddy',
  names: ['caddy'],
  versionFlag: 'version',
  versionMin: [2, 6],
  packages: ['caddy'],
  unpacked: 'usr/bin/caddy',
};

/** What stands where in a recipe. */
const recipeAddresses = { listen: ':8080', api: '127.0.0.1:3000', guard: '127.0.0.1:8680' } as const;

/** Addresses of a test. */
export interface GatewayOptions {
  /** `HOST:PORT` of the API. */
  readonly api: string;
  /** `HOST:PORT` of what is asked for verdicts, or `unix:PATH`. */
  readonly guard: string;
  /** Changes the recipe, to try a variant that its comments or the guide name. */
  readonly vary?: (recipe: string) => string;
  /** Words to put before its command, to run it elsewhere. */
  readonly prefixCommand?: readonly string[];
  readonly places?: ProgramPlaces;
}

/** A running gateway. */
export interface Gateway extends ServerProcess {
  readonly url: string;
}

/** A kind of gateway: its program, the form of its recipe, and its command. */
interface GatewayKind {
  readonly wanted: WantedProgram;
  readonly recipe: string;
  /** How this gateway writes the address of a Unix socket. */
  readonly unix: (path: string) => string;
  /** Writes the files beside the recipe. @returns the words after the program */
  readonly prepare: (folder: string, recipeFile: string) => readonly string[];
}

const nginxMain = (folder: string, recipeFile: string): string => `
daemon off;
worker_processes 1;
${process.getuid?.() === 0 ? 'user root;' : ''}
pid ${folder}/nginx.pid;
error_log stderr error;
events { worker_connections 4096; }
http {
  access_log off;
  keepalive_requests 1000000;
  ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${folder}/${name};`).join('\n  ')}
  include ${recipeFile};
}
`;

const caddyMain = (recipeFile: string): string => `{
\tadmin off
\tauto_https off
\tgrace_period 1s
\tservers {
\t\tprotocols h1 h2c
\t}
}
import ${recipeFile}
`;

const kinds = {
  nginx: {
    wanted: wantedNginx,
    recipe: 'nginx.conf',
    unix: (path) => `unix:${path}`,
    prepare: (folder, recipeFile) => {
      const main = join(folder, 'main.conf');
      writeFileSync(main, nginxMain(folder, recipeFile));
      return ['-p', folder, '-e', 'stderr', '-c', main];
    },
  },
  caddy: {
    wanted: wantedCaddy,
    recipe: 'Caddyfile',
    unix: (path) => `unix/${path}`,
    prepare: (folder, recipeFile) => {
      const main = join(folder, 'Main');
      writeFileSync(main, caddyMain(recipeFile));
      return ['run', '--adapter', 'caddyfile', '--config', main];
    },
  },
} as const satisfies Record<string, GatewayKind>;

/** Names of the gateways that tests start. */
export type GatewayName = keyof typeof kinds;
/** All of them. */
export const gatewayNames = ['nginx', 'caddy'] as const satisfies readonly GatewayName[];

const answersAt = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });

const filled = (kind: GatewayKind, port: number, { api, guard, vary = (recipe) => recipe }: GatewayOptions): string => {
  const source = readFileSync(new URL(`../../examples/gateways/${kind.recipe}`, import.meta.url), 'utf8');
  const [, path] = /^unix:(.+)$/.exec(guard) ?? [];
  return vary(source)
    .replaceAll(recipeAddresses.listen, `:${port}`)
    .replaceAll(recipeAddresses.api, api)
    .replaceAll(recipeAddresses.guard, path === undefined ? guard : kind.unix(path));
};

/** Starts a gateway and waits until it takes connections. */
export const startGateway = async (name: GatewayName, options: GatewayOptions): Promise<Gateway> => {
  const kind: GatewayKind = kinds[name];
  const program = findProgram(kind.wanted, options.places);
  const port = await freePort();
  const server = await startServerProcess({
    title: kind.wanted.title,
    env: program.env,
    prepare: (folder) => {
      const recipeFile = join(folder, kind.recipe);
      writeFileSync(recipeFile, filled(kind, port, options));
      // Caddy keeps its state below the home folder.
      return [
        'env',
        `HOME=${folder}`,
        ...(options.prefixCommand ?? []),
        program.file,
        ...kind.prepare(folder, recipeFile),
      ];
    },
    isReady: () => answersAt(port),
  });
  return Object.assign(server, { url: `http://127.0.0.1:${port}` });
};

/**
 * Whether tests that need a gateway can run, as an option of `suite`.
 * @throws Error when there is none and `CI` is set: there no test may be skipped unnoticed
 */
export const needsGateway = (name: GatewayName): { readonly skip: string | false } => needsProgram(kinds[name].wanted);
