/**
 * A separate wall clock for a foreign program: `libfaketime` is loaded into it, from this machine or from Debian's packages.
 * @module
 */
import { copyFileSync, globSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { unpackDebianPackages } from './debian-packages.ts';
import { usualProgramPlaces } from './find-program.ts';

/** Its place on a machine, and in the package. */
const place = 'usr/lib/*/faketime/libfaketime.so.1';
const cache = fileURLToPath(new URL('../../.cache/libfaketime', import.meta.url));

/** @throws Error that says why there is none */
const findLibrary = (): string => {
  const [installed] = globSync(`/${place}`);
  if (installed !== undefined) return installed;
  const choose = (): readonly string[] => ['libfaketime'];
  const { root, found } = unpackDebianPackages({ path: usualProgramPlaces.path, cache, choose, holding: place });
  return join(root, found);
};

/** A clock that a program is started with. The monotonic clock stays, as it does when a machine's time is set. */
export class OwnClock {
  /** What the program needs in its environment. */
  readonly environment: Readonly<Record<string, string>>;
  readonly #file: string;

  /**
   * @param folder for its files; the program's user may enter it
   * @throws Error when there is no such library and none can be fetched
   */
  constructor(folder: string) {
    this.#file = join(folder, 'clock');
    // The cache can be below a folder that only root may enter.
    const library = join(folder, 'libfaketime.so.1');
    copyFileSync(findLibrary(), library);
    this.environment = {
      LD_PRELOAD: library,
      FAKETIME_TIMESTAMP_FILE: this.#file,
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DISABLE_SHM: '1',
      DONT_FAKE_MONOTONIC: '1',
    };
    this.set(0);
  }

  /** Sets it this many seconds before (or, negative, behind) the clock of this machine. */
  set(aheadSeconds: number): void {
    writeFileSync(`${this.#file}.new`, `${aheadSeconds < 0 ? '-' : '+'}${Math.abs(aheadSeconds)}s\n`);
    renameSync(`${this.#file}.new`, this.#file);
  }
}
