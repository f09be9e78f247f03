/**
 * Finds a server for the tests that is one program, or fetches it from Debian's packages into the repository's cache. It installs nothing
 * and does not need root.
 * @module
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { environmentOf, unpackDebianPackages } from './debian-packages.ts';

/** Where to look. */
export interface ProgramPlaces {
  /** A `PATH` with the program, and with the programs that fetch it. */
  readonly path: string;
  /** Folder that keeps fetched programs, each in a folder below it. */
  readonly cache: string;
}

/** Where a test looks. Servers are often in folders that only root has in its `PATH`. */
export const usualProgramPlaces: ProgramPlaces = {
  path: [process.env['PATH'] ?? '', '/usr/local/sbin', '/usr/sbin'].join(delimiter),
  cache: fileURLToPath(new URL('../../.cache', import.meta.url)),
};

/** A program to look for. */
export interface WantedProgram {
  readonly title: string;
  /** Names of the program, the best first. */
  readonly names: readonly string[];
  readonly versionFlag: string;
  /** Oldest version that is accepted. */
  readonly versionMin: readonly [major: number, minor: number];
  /** Debian's packages that contain it; the first is the one to install. */
  readonly packages: readonly [string, ...string[]];
  /** Its place in the packages. */
  readonly unpacked: string;
}

/** A program that runs here. */
export interface FoundProgram {
  readonly source: 'installed' | 'Debian packages';
  /** Such as 7.0.15. */
  readonly version: string;
  readonly file: string;
  readonly env: NodeJS.ProcessEnv;
}

type Candidate = Omit<FoundProgram, 'version'>;

/** The program with its version; `undefined` when it does not run or is too old. */
const tried = (candidate: Candidate, { versionFlag, versionMin }: WantedProgram): FoundProgram | undefined => {
  if (!existsSync(candidate.file)) return undefined;
  const { status, stdout, stderr } = spawnSync(candidate.file, [versionFlag], { encoding: 'utf8', env: candidate.env });
  if (status !== 0) return undefined;
  // nginx prints its version on standard error.
  const [version = '', major, minor] = /(\d+)\.(\d+)(\.\d+)*/.exec(`${stdout}${stderr}`) ?? [];
  const age = Number(major) - versionMin[0] || Number(minor) - versionMin[1];
  return age >= 0 ? { ...candidate, version } : undefined;
};

/**
 * Finds or fetches a program.
 * @throws Error that says why there is none, and which command helps
 */
export const findProgram = (wanted: WantedProgram, places: ProgramPlaces = usualProgramPlaces): FoundProgram => {
  const { title, names, versionMin, packages } = wanted;
  for (const name of names)
    for (const folder of places.path.split(delimiter).filter((entry) => entry !== '')) {
      const env = environmentOf({ root: sep, libraries: [] });
      const program = tried({ source: 'installed', file: join(folder, name), env }, wanted);
      if (program !== undefined) return program;
    }
  let reason = 'what was unpacked does not run here or is too old';
  try {
    const unpacked = unpackDebianPackages({
      path: places.path,
      cache: join(places.cache, title.toLowerCase()),
      choose: () => packages,
      holding: wanted.unpacked,
    });
    const candidate: Candidate = {
      source: 'Debian packages',
      file: join(unpacked.root, unpacked.found),
      env: environmentOf(unpacked),
    };
    const program = tried(candidate, wanted);
    if (program !== undefined) return program;
  } catch (error) {
    reason = error instanceof Error ? error.message : String(error);
  }
  throw new Error(
    `No ${title} ${versionMin.join('.')} or newer is here and none could be fetched (Debian packages: ${reason}): install one, on Debian and Ubuntu with "apt-get install ${packages[0]}"`,
  );
};

/**
 * Whether tests that need a program can run, as an option of `test` and `suite`.
 * @throws Error when there is none and `CI` is set: there no test may be skipped unnoticed
 */
export const needsProgram = (
  wanted: WantedProgram,
  places: ProgramPlaces = usualProgramPlaces,
): { readonly skip: string | false } => {
  try {
    findProgram(wanted, places);
    return { skip: false };
  } catch (error) {
    if (!(error instanceof Error) || process.env['CI'] === 'true') throw error;
    return { skip: error.message };
  }
};
