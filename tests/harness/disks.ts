/**
 * Disks that a test fills or makes read-only. Linux, as root.
 * @module
 */
import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Scope } from './scope.ts';
import { removeFolder, temporaryFolder } from './service.ts';

const run = (program: string, ...args: readonly string[]): void =>
  void execFileSync(program, args, {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { PATH: `${process.env['PATH']}:/usr/sbin:/sbin`, LC_ALL: 'C' },
  });

/** A disk for one test. */
export interface Disk {
  /** An empty folder on it. */
  readonly folder: string;
  /** Takes all the space that is left. */
  fill(): void;
  /** Gives that space back. */
  free(): void;
  /** Mounts it again, read-only or not. No process may have a file open for writing. */
  remount(mode: 'ro' | 'rw'): void;
}

/** A small disk in memory. */
const mountDisk = (place: string, sizeKib: number): void =>
  run('mount', '-t', 'tmpfs', '-o', `size=${sizeKib}k,mode=0700`, 'tmpfs', place);

/** A disk of this size that is unmounted when the scope is over; processes that use it must end before. */
export const diskIn = (scope: Scope, sizeKib: number): Disk => {
  const place = temporaryFolder();
  mountDisk(place, sizeKib);
  scope.after(() => {
    run('umount', '--lazy', place);
    removeFolder(place);
  });
  const folder = join(place, 'data');
  mkdirSync(folder, { mode: 0o700 });
  const ballast = join(place, 'ballast');
  return {
    folder,
    fill: () => {
      const file = openSync(ballast, 'a');
      try {
        for (;;) writeSync(file, Buffer.alloc(4096));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
      } finally {
        closeSync(file);
      }
    },
    free: () => rmSync(ballast, { force: true }),
    remount: (mode) => run('mount', '-o', `remount,${mode},size=${sizeKib}k`, place),
  };
};

/**
 * Forbids every change of these files, and of the names in these folders, while the work lasts. This includes processes that have them open
 * already, as on a file system that turned read-only after an error.
 */
export const whileFrozen = async (paths: readonly string[], work: () => Promise<void>): Promise<void> => {
  run('chattr', '+i', ...paths);
  try {
    await work();
  } finally {
    run('chattr', '-i', ...paths);
  }
};

/** Whether a test can have its own disk, as an option of `test`. */
export const needsDisk = (): { readonly skip: string | false } => {
  const place = temporaryFolder();
  try {
    if (process.getuid?.() !== 0) return { skip: 'Only root may mount a disk' };
    mountDisk(place, 64);
    run('umount', place);
    return { skip: false };
  } catch (error) {
    return { skip: `No disk can be mounted here: ${(error as Error).message.trim()}` };
  } finally {
    removeFolder(place);
  }
};

/** Whether a test can freeze files in a temporary folder, as an option of `test`. */
export const needsFreeze = (): { readonly skip: string | false } => {
  const folder = temporaryFolder();
  const file = join(folder, 'file');
  try {
    const handle = openSync(file, 'w');
    run('chattr', '+i', file);
    try {
      writeSync(handle, 'x');
      return { skip: 'An open file can be written to here whatever its attributes' };
    } catch {
      return { skip: false };
    } finally {
      closeSync(handle);
      run('chattr', '-i', file);
    }
  } catch (error) {
    return { skip: `No file can be frozen here: ${(error as Error).message.trim()}` };
  } finally {
    writeFileSync(file, '');
    removeFolder(folder);
  }
};
