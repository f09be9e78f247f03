/**
 * Password hashes as they are stored, and which of them are accepted and which are due for an upgrade.
 * @module
 */

/** OWASP's argon2id floor (Password Storage Cheat Sheet): 19 MiB, 2 passes, 1 lane. Memory in KiB. */
export const argon2idParameters = { memoryKib: 19_456, passes: 2, parallelism: 1 } as const;

/** Largest parameters a stored hash may ask for: one hostile import must not be able to eat the machine. */
const limits = { memoryKib: 262_144, passes: 16, parallelism: 8 } as const;

// PHC string format; salt 8 to 64 bytes, tag 16 to 64 bytes, base64 without padding.
const argon2idPattern =
  /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,3}),p=(\d{1,2})\$[A-Za-z0-9+/]{11,86}\$[A-Za-z0-9+/]{22,86}$/;

const parameters = (storedHash: string): { memoryKib: number; passes: number; parallelism: number } | undefined => {
  const match = argon2idPattern.exec(storedHash);
  if (match === null) return undefined;
  return { memoryKib: Number(match[1]), passes: Number(match[2]), parallelism: Number(match[3]) };
};

/** Whether a stored hash is of a known format and within the limits. */
export const isAcceptedHash = (storedHash: string): boolean => {
  const found = parameters(storedHash);
  return (
    found !== undefined &&
    found.memoryKib >= 8 * found.parallelism &&
    found.memoryKib <= limits.memoryKib &&
    found.passes >= 1 &&
    found.passes <= limits.passes &&
    found.parallelism >= 1 &&
    found.parallelism <= limits.parallelism
  );
};

/** Whether a stored hash was made with other than today's parameters: it is replaced at the next login. */
export const needsUpgrade = (storedHash: string): boolean => {
  const found = parameters(storedHash);
  return (
    found?.memoryKib !== argon2idParameters.memoryKib ||
    found.passes !== argon2idParameters.passes ||
    found.parallelism !== argon2idParameters.parallelism
  );
};
