/**
 * The certificate and the private key of TLS: reads both files, and says what is wrong with which
 * of them.
 * @module
 */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFileSync, type Stats, statSync } from 'node:fs';
import { isIP } from 'node:net';
import { createSecureContext } from 'node:tls';
import { ConfigError } from './read-config.ts';

/** A certificate with its key, as TLS takes them. */
export interface Certificate {
  /** PEM: the certificate and its intermediates. */
  readonly cert: string;
  /** PEM. */
  readonly key: string;
  /** Names and addresses that it is valid for. */
  readonly names: readonly string[];
  /** Wall clock, milliseconds since 1970. */
  readonly validFromMs: number;
  readonly expiresMs: number;
  /** Faults that do not prevent its use: a sentence each, with the remedy. */
  readonly warnings: readonly string[];
  /** Whether it is valid for this host: a name, or an address as a URL spells it. */
  isFor(host: string): boolean;
}

/** Paths of the two files. */
export interface CertificateFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

/** Far more than any chain takes: a larger file is a wrong one. */
const fileBytesMax = 1024 * 1024;
const certificatesMax = 16;

const explanations: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  ENOTDIR: 'there is no such file',
  EACCES: 'this user may not read it; give it to the user that runs the service',
  EPERM: 'this user may not read it; give it to the user that runs the service',
};

const refuse = (option: string, path: string, what: string, cause?: unknown): never => {
  throw new ConfigError(`Cannot use ${option} ${path}: ${what}`, { cause });
};

const readBounded = (option: string, path: string): { readonly text: string; readonly stats: Stats } => {
  try {
    const stats = statSync(path);
    // Reading a pipe would block the process while it serves.
    if (!stats.isFile()) return refuse(option, path, 'it is not a file');
    if (stats.size > fileBytesMax) return refuse(option, path, `it is larger than ${fileBytesMax} bytes`);
    return { text: readFileSync(path, 'latin1'), stats };
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    const { code = '', message } = error as NodeJS.ErrnoException;
    return refuse(option, path, explanations[code] ?? message, error);
  }
};

const blocksOf = (text: string, label: string): readonly string[] =>
  text.match(new RegExp(`-----BEGIN ${label}-----[^-]+-----END ${label}-----`, 'g')) ?? [];

const isKey = (text: string): boolean => /-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text);

const parseChain = (path: string, text: string): readonly [X509Certificate, ...X509Certificate[]] => {
  const refuseChain = (what: string, cause?: unknown): never => refuse('TLS_CERT_FILE', path, what, cause);
  const blocks = blocksOf(text, 'CERTIFICATE');
  if (blocks.length === 0)
    return refuseChain(
      isKey(text)
        ? 'it holds a private key and no certificate; are TLS_CERT_FILE and TLS_KEY_FILE exchanged?'
        : 'it holds no certificate in PEM form ("openssl x509 -inform der -in FILE" writes one)',
    );
  if (blocks.length > certificatesMax)
    return refuseChain(`it holds ${blocks.length} certificates, more than ${certificatesMax}: is it a list of roots?`);
  const [first, ...others] = blocks.map((block, index) => {
    try {
      return new X509Certificate(block);
    } catch (error) {
      return refuseChain(`certificate ${index + 1} of it is damaged`, error);
    }
  });
  return [first as X509Certificate, ...others];
};

const parseKey = (path: string, text: string): KeyObject => {
  const refuseKey = (what: string, cause?: unknown): never => refuse('TLS_KEY_FILE', path, what, cause);
  if (!isKey(text))
    return refuseKey(
      text.includes('BEGIN CERTIFICATE')
        ? 'it holds a certificate and no private key; are TLS_CERT_FILE and TLS_KEY_FILE exchanged?'
        : 'it holds no private key in PEM form',
    );
  if (/ENCRYPTED/.test(text))
    return refuseKey(`it is protected by a passphrase; write it without one: "openssl pkey -in ${path} -out NEW"`);
  try {
    return createPrivateKey(text);
  } catch (error) {
    // The library's message neither shows the key nor helps.
    return refuseKey('the private key in it is damaged', error);
  }
};

const namesOf = ({ subjectAltName, subject }: X509Certificate): readonly string[] =>
  (subjectAltName ?? subject ?? '')
    .split(/, |\n/)
    .map((name) => name.replace(/^(?:DNS|IP Address):/, ''))
    .filter((name) => name !== '');

const dateOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

/**
 * Until when a certificate is valid, in words.
 * @param nowMs wall clock, milliseconds since 1970
 */
export const validityText = ({ validFromMs, expiresMs }: Certificate, nowMs: number): string => {
  if (nowMs < validFromMs) return `is valid only from ${dateOf(validFromMs)} on`;
  if (nowMs > expiresMs) return `has expired on ${dateOf(expiresMs)}`;
  return `is valid until ${dateOf(expiresMs)}, ${Math.floor((expiresMs - nowMs) / 86_400_000)} more days`;
};

const warningsOf = (
  { certFile, keyFile }: CertificateFiles,
  chain: readonly X509Certificate[],
  keyMode: number,
): readonly string[] => {
  const warnings: string[] = [];
  const broken = chain.findIndex((one, index) => index > 0 && chain[index - 1]?.checkIssued(one) !== true);
  if (broken > 0)
    warnings.push(
      `TLS_CERT_FILE ${certFile}: certificate ${broken + 1} has not issued certificate ${broken}, some clients will not trust it; put each one's issuer after it`,
    );
  // Access for the group may be intended: services of one machine share a key that way.
  if ((keyMode & 0o007) !== 0)
    warnings.push(
      `TLS_KEY_FILE ${keyFile} has mode ${(keyMode & 0o777).toString(8)}: others can read it; run "chmod o= ${keyFile}"`,
    );
  return warnings;
};

/**
 * Reads both files and judges them together.
 * @throws {ConfigError} when one is missing, unreadable or damaged, or when the key is not the
 *   certificate's
 */
export const readCertificate = (files: CertificateFiles): Certificate => {
  const { certFile, keyFile } = files;
  const certText = readBounded('TLS_CERT_FILE', certFile).text;
  const { text: keyText, stats } = readBounded('TLS_KEY_FILE', keyFile);
  const chain = parseChain(certFile, certText);
  const [leaf] = chain;
  const key = parseKey(keyFile, keyText);
  if (!leaf.checkPrivateKey(key)) {
    const owner = chain.findIndex((one) => one.checkPrivateKey(key));
    refuse(
      'TLS_KEY_FILE',
      keyFile,
      owner < 0
        ? `it is not the key of the certificate in ${certFile}`
        : `it is the key of certificate ${owner + 1} in ${certFile}; put that one first`,
    );
  }
  const cert = chain.map((one) => one.toString()).join('');
  try {
    // Fails where TLS itself would refuse, as with a key that is too short.
    createSecureContext({ cert, key: keyText });
  } catch (error) {
    refuse('TLS_CERT_FILE', certFile, `TLS does not take it: ${(error as Error).message}`, error);
  }
  return {
    cert,
    key: keyText,
    names: namesOf(leaf),
    validFromMs: leaf.validFromDate.getTime(),
    expiresMs: leaf.validToDate.getTime(),
    warnings: warningsOf(files, chain, stats.mode),
    isFor: (host) => {
      const bare = host.replace(/^\[|\]$/g, '');
      return (isIP(bare) === 0 ? leaf.checkHost(bare) : leaf.checkIP(bare)) !== undefined;
    },
  };
};

/** The two files of a configuration; `undefined` without TLS. */
export const certificateFiles = ({
  tlsCertFile,
  tlsKeyFile,
}: {
  readonly tlsCertFile: string | undefined;
  readonly tlsKeyFile: string | undefined;
}): CertificateFiles | undefined =>
  tlsCertFile === undefined || tlsKeyFile === undefined ? undefined : { certFile: tlsCertFile, keyFile: tlsKeyFile };
