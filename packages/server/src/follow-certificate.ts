/**
 * Follows the certificate, which is renewed while the service runs.
 * @module
 */
import { type Certificate, type CertificateFiles, readCertificate, validityText } from './config/certificate.ts';
import type { Logger } from './telemetry/log.ts';

/** Time between two looks at the files. */
export const lookEveryMs = 60_000;
/** A warning that still holds is repeated after this time. */
const repeatMs = 24 * 3600 * 1000;

/** A certificate whose files are checked regularly. */
export interface FollowedCertificate {
  readonly current: Certificate;
  /** Registers a function to call with each new certificate. */
  onChange(use: (certificate: Certificate) => void): void;
  /**
   * Checks the files now. Files that do not fit are logged, and the present certificate stays in
   * use.
   */
  look(): void;
  stop(): void;
}

/**
 * Reads both files and keeps checking them. A change takes effect when both fit together: while
 * only one of them has been replaced, the present pair stays in use.
 * @param everyMs time between looks
 * @throws {ConfigError} when they do not fit at the start
 */
export const followCertificate = (
  files: CertificateFiles,
  log: Logger,
  nowMs: () => number,
  everyMs = lookEveryMs,
): FollowedCertificate => {
  const { certFile } = files;
  const users: ((certificate: Certificate) => void)[] = [];
  const said = new Map<string, number>();
  let current = readCertificate(files);

  const warn = (message: string): void => {
    const lastMs = said.get(message);
    if (lastMs !== undefined && nowMs() - lastMs < repeatMs) return;
    said.set(message, nowMs());
    log.warn(message);
  };
  const warnOf = (certificate: Certificate): void => {
    for (const warning of certificate.warnings) warn(warning);
    const now = nowMs();
    if (now < certificate.validFromMs || now > certificate.expiresMs)
      warn(`The certificate in ${certFile} ${validityText(certificate, now)}: clients will not connect; renew it`);
  };
  const tell = (what: string, { names, expiresMs }: Certificate): void =>
    log.info({ certFile, names, expires: new Date(expiresMs).toISOString() }, what);

  const look = (): void => {
    try {
      const found = readCertificate(files);
      const isNew = found.cert !== current.cert || found.key !== current.key;
      if (isNew) {
        for (const use of users) use(found);
        current = found;
        said.clear();
        tell('Using a new certificate for new connections', found);
      }
    } catch (error) {
      warn(
        `${(error as Error).message}; the certificate in use stays, until ${new Date(current.expiresMs).toISOString()}`,
      );
    }
    warnOf(current);
  };

  tell('Using a certificate', current);
  warnOf(current);
  const timer = setInterval(look, everyMs);
  return {
    get current() {
      return current;
    },
    onChange: (use) => void users.push(use),
    look,
    stop: () => clearInterval(timer),
  };
};
