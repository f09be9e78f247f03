/**
 * A backup: a folder of files that ordinary tools can read, and `backup.json`, which lists their
 * sizes and hashes.
 *
 * It is a folder and not an archive: `sqlite3`, `sha256sum` and `rsync` work on it directly, the
 * key can be taken out and kept elsewhere, there is no format to get wrong, and one rename
 * publishes it as a whole.
 * @module
 */
import { createHash } from 'node:crypto';
import { createReadStream, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { flush, writeFlushed } from '../config/flushed-file.ts';
import { ConfigError } from '../config/read-config.ts';

/** Files that a backup may hold. */
export const partNames = ['catalytic.db', 'master.key'] as const;
/** Name of one of them. */
export type PartName = (typeof partNames)[number];

interface Part {
  readonly bytes: number;
  readonly sha256: string;
}

/** The content of `backup.json`. */
export interface Manifest {
  readonly format: 1;
  /** The moment that the copy of the database shows, RFC 3339. */
  readonly made_at: string;
  readonly parts: Readonly<Partial<Record<PartName, Part>>>;
}

const manifestName = 'backup.json';

const describe = async (path: string): Promise<Part> => {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return { bytes: statSync(path).size, sha256: hash.digest('hex') };
};

/** Flushes the files of a backup and writes its manifest. */
export const seal = async (folder: string, names: readonly PartName[], madeAtMs: number): Promise<Manifest> => {
  const parts: Partial<Record<PartName, Part>> = {};
  for (const name of names) {
    flush(join(folder, name));
    parts[name] = await describe(join(folder, name));
  }
  const manifest: Manifest = { format: 1, made_at: new Date(madeAtMs).toISOString(), parts };
  writeFlushed(join(folder, manifestName), `${JSON.stringify(manifest, null, 2)}\n`);
  flush(folder);
  return manifest;
};

const isPart = (value: unknown): value is Part => {
  const { bytes, sha256 } = (value ?? {}) as Partial<Record<keyof Part, unknown>>;
  return typeof bytes === 'number' && typeof sha256 === 'string';
};

const readManifest = (folder: string): Manifest => {
  const path = join(folder, manifestName);
  let manifest: Partial<Manifest>;
  try {
    manifest = JSON.parse(readFileSync(path, 'utf8')) as Partial<Manifest>;
  } catch (error) {
    throw new ConfigError(
      `Cannot use the backup ${folder}: ${path} cannot be read (${(error as Error).message}); name the folder that "catalytic backup" made`,
      { cause: error },
    );
  }
  const { format, made_at, parts } = manifest ?? {};
  const isWhole =
    format === 1 && typeof made_at === 'string' && typeof parts === 'object' && Object.values(parts).every(isPart);
  if (isWhole) return { format, made_at, parts };
  throw new ConfigError(`Cannot use the backup ${folder}: ${path} is of another version or was changed`);
};

/**
 * Reads the manifest of a backup and checks its files against it.
 * @throws {ConfigError} when a file is missing or has changed
 */
export const openBackup = async (folder: string): Promise<Manifest> => {
  const manifest = readManifest(folder);
  for (const name of partNames) {
    const wanted = manifest.parts[name];
    if (wanted === undefined) continue;
    const path = join(folder, name);
    const found = await describe(path).catch((error: unknown) => {
      throw new ConfigError(`Cannot use the backup ${folder}: ${(error as Error).message}`, { cause: error });
    });
    if (found.sha256 !== wanted.sha256)
      throw new ConfigError(
        `Cannot use the backup ${folder}: ${name} is not what was backed up (${found.bytes} bytes, ${wanted.bytes} expected, SHA-256 differs); copy the folder again, or use an older backup`,
      );
  }
  return manifest;
};

/** A moment as part of a file's name: 20260131T235959Z. */
export const nameOfMoment = (ms: number): string => new Date(ms).toISOString().replaceAll(/[-:]|\.\d+/g, '');
